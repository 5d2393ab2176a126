"""One JavaScript file in place of the hundred that Voilà's pages load, two thirds of them after the notebook has run.

The files are webpack chunks: each appends its modules to a list that the entry script, ``voila.js``, reads when it
starts, and the entry script loads no chunk whose modules are in that list. So all chunks can be sent in one file before
it, while the kernel runs the notebook. A chunk that is missing in the bundle is loaded as usual.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from jupyter_core.paths import jupyter_path
from tornado.web import HTTPError

from catsdogs.server.base_handler import BaseHandler
from catsdogs.server.voila.patches import EXTENSION_CHUNKS, LAZY_CHUNKS, entry_chunks, extend_timeouts

_VOILA_SCRIPTS = "voila/templates/base/static"


@cache
def chunks() -> list[Path]:
    """List the files of the bundle."""
    entry = _find(_VOILA_SCRIPTS, "voila.js")
    numbers = entry_chunks(entry[0].read_text(encoding="utf-8")) if entry else []
    patterns = [(_VOILA_SCRIPTS, f"{number}.voila.js") for number in [*numbers, *LAZY_CHUNKS.split()]]
    for extension, extension_numbers in EXTENSION_CHUNKS.items():
        for root in ("voila/labextensions", "labextensions"):
            patterns += [(f"{root}/{extension}/static", f"{number}.*.js") for number in extension_numbers.split()]
    return list(dict.fromkeys(path for pattern in patterns for path in _find(*pattern)))


def _find(folder: str, pattern: str) -> list[Path]:
    """Find files in the first of Jupyter's data folders that has them."""
    return next(filter(None, (sorted(Path(root).glob(pattern)) for root in jupyter_path(*folder.split("/")))), [])


@cache
def bundle() -> bytes:
    """Return the chunks as one script, each in a scope of its own."""
    return b"\n".join(b"(()=>{" + extend_timeouts(path.read_bytes()) + b"\n})();" for path in chunks())


@cache
def bundle_url() -> str:
    """Return the path of the bundle, which holds a hash of its content, so that browsers may cache it for ever."""
    return f"/bundle/{hashlib.sha256(bundle()).hexdigest()[:16]}.js"


class BundleHandler(BaseHandler):
    """``GET /bundle/HASH.js``."""

    def get(self, content_hash: str) -> None:
        """Send the bundle."""
        if bundle_url() != f"/bundle/{content_hash}.js":
            raise HTTPError(404)
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.finish(bundle())
