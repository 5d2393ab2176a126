"""The configuration of Voilà and Jupyter, and the rate limits, made from the settings."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from traitlets.config import Config

from catsdogs.i18n import N_
from catsdogs.server.api.photo_form import MAX_BODY
from catsdogs.server.auth import Scope
from catsdogs.server.kernels.local import LocalKernelManager
from catsdogs.server.kernels.remote import RemoteKernelManager
from catsdogs.server.kernels.remote_websocket import RemoteWebsocketConnection
from catsdogs.server.rate_limit import RateLimit
from catsdogs.server.voila import apps, rendering
from catsdogs.settings import Settings


def voila_config(settings: Settings) -> Config:
    """Return the configuration of Voilà and of the classes that it starts."""
    return Config(
        {
            "Voila": {
                "log_level": logging.CRITICAL,
                **({"kernel_websocket_connection_class": RemoteWebsocketConnection} if settings.gateway_url else {}),
            },
            "VoilaConfiguration": {
                "template": rendering.TEMPLATE,
                "allow_template_override": "NO",
                "allow_theme_override": "NO",
                "multi_kernel_manager_class": RemoteKernelManager if settings.gateway_url else LocalKernelManager,
                "http_header_envs": ["Accept-Language"],
                "prelaunch_hook": apps.set_page_metadata,
            },
            "AppKernelManager": {
                "limit": settings.max_sessions,
                "limit_per_client": settings.sessions_per_address,
                "cull_idle_timeout": 60 * settings.idle_minutes,
                "disconnected_timeout": 60 * (settings.idle_minutes + 15),
                "cull_interval": 15,
            },
            # A kernel that is restarted has not run the notebook: its page would do nothing, without an error.
            # Its sockets are files in a folder of the server, which no other user of the machine can open.
            "KernelManager": {"autorestart": False, "transport": "ipc"},
        }
    )


_TOO_MANY = N_("That was a lot at once. Wait a moment, then go on.")


@dataclass(frozen=True)
class RateLimits:
    """The server's rate limits; those of the operator's password are in :class:`catsdogs.server.auth.Operator`."""

    api_requests: RateLimit
    """Requests of a client that has the API token."""
    session_requests: dict[Scope, RateLimit]
    """Requests of a session's kernel, by the scope of its token."""
    messages: RateLimit
    """Messages of a page to its kernel."""
    message_bytes: RateLimit
    wrong_receipts: RateLimit
    """Receipt codes of a client under which nothing is kept; valid ones are not counted."""


def rate_limits(settings: Settings) -> RateLimits:
    """Return the rate limits, with nothing counted yet."""
    return RateLimits(
        api_requests=RateLimit(settings.requests_per_minute, 60, _TOO_MANY),
        session_requests={
            Scope.PREDICT: RateLimit(120, 60, _TOO_MANY),
            # a live dashboard requests six figures every three seconds, and an operator clicks besides
            Scope.MONITOR: RateLimit(600, 60, _TOO_MANY),
        },
        messages=RateLimit(1000, 10, _TOO_MANY),
        message_bytes=RateLimit(4 * MAX_BODY, 10, _TOO_MANY),
        wrong_receipts=RateLimit(10, 60, N_("Too many wrong receipt codes. Wait a minute, then try again.")),
    )
