"""A machine in another time zone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest

from catsdogs.reporting import period, report


@pytest.fixture
def paris(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine in Paris, where clocks were set back on 26 October 2025."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Paris")
        for module in (period, report):
            patch.setattr(module, "LOCAL", ZoneInfo("Europe/Paris"))
        time.tzset()
        yield
    time.tzset()
