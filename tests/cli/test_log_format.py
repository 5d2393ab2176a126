"""The log's lines: whatever a client sends, nothing in them looks like another record."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import pytest

from catsdogs.cli.log_format import LogFormatter

FORGED = "2026-01-01 00:00:00,000 INFO catsdogs.access: GET /forged 200 1 ms"


@pytest.fixture
def log() -> tuple[logging.Logger, io.StringIO]:
    """A logger with that format, and what it writes."""
    logger, written = logging.Logger("test"), io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(LogFormatter())
    logger.addHandler(handler)
    return logger, written


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_a_record_has_one_line(log: tuple[logging.Logger, io.StringIO], end: str) -> None:
    logger, written = log
    logger.warning("%s sent this", f"somebody{end}{FORGED}")
    [line] = written.getvalue().splitlines()
    assert line.endswith("sent this")


def test_control_characters_are_escaped_and_letters_are_not(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, written = log
    logger.warning("é \x1b[2J \x00 \x9b \u202e \udc80 猫 %s", "'\\'")
    assert written.getvalue().endswith(r"é \x1b[2J \x00 \x9b \u202e \udc80 猫 '\'" + "\n")


def test_a_traceback_is_indented(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, written = log
    try:
        Path(f"/no\n{FORGED}\x1b").stat()
    except OSError:
        logger.exception("failed")
    first, *others = written.getvalue().splitlines()
    assert first.endswith("failed")
    assert len(others) >= 4
    assert all(line.startswith("    ") for line in others)
    assert "\x1b" not in written.getvalue()
