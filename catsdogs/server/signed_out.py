"""The sign-ins that an operator has ended: a copy of their cookie is refused, also after a restart."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path

from catsdogs.files import atomic_write

_log = logging.getLogger(__name__)


class SignedOut:
    """The ended sign-ins of one server, in a file.

    Parameters
    ----------
    path
        The file. Where it cannot be read or written, the sign-ins are known until this process ends.
    seconds
        Time after which a cookie is refused in any case, and its sign-in forgotten.
    """

    def __init__(self, path: Path, seconds: float) -> None:
        self._path = path
        self._seconds = seconds
        self._ended = self._read()

    def add(self, identifier: str) -> None:
        """Note that a sign-in has ended."""
        now = time.time()
        self._ended = {name: end for name, end in self._ended.items() if end > now} | {identifier: now + self._seconds}
        try:
            with atomic_write(self._path, mode=0o600) as stream:
                stream.write(json.dumps(self._ended).encode())
        except OSError as error:
            _log.warning("a sign-out is forgotten at the next restart: %s cannot be written (%s)", self._path, error)

    def __contains__(self, identifier: str) -> bool:
        return identifier in self._ended

    def _read(self) -> dict[str, float]:
        try:
            return {str(name): float(end) for name, end in json.loads(self._path.read_bytes()).items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            _log.warning("earlier sign-outs are forgotten: %s cannot be read (%s)", self._path, type(error).__name__)
            return {}
