"""The command line of catsdogs, with the time limits of sessions that the variable SESSION_LIMITS holds as JSON."""

from __future__ import annotations

import json
import os

from traitlets.config import Config

import catsdogs.server.app
from catsdogs.__main__ import main
from catsdogs.server.configuration import voila_config
from catsdogs.settings import Settings


def impatient_config(settings: Settings) -> Config:
    """Return the usual configuration, with the other limits."""
    config = voila_config(settings)
    config.AppKernelManager.update(json.loads(os.environ["SESSION_LIMITS"]))
    return config


catsdogs.server.app.voila_config = impatient_config  # type: ignore[attr-defined]  # it is not exported
main()
