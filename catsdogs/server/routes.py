"""Every route of the server: the REST API's, the pages', the apps', and the static files."""

from __future__ import annotations

import re
from typing import Any

from catsdogs.server import base_handler, pages
from catsdogs.server.api import openapi
from catsdogs.server.static_files import OWN_FILES, RobotsHandler, StaticHandler
from catsdogs.server.voila import apps, page_files, sessions

KERNEL_ID = r"(?P<kernel_id>\w+-\w+-\w+-\w+-\w+)"


def routes(app_arguments: dict[str, Any]) -> list[Any]:
    """List the routes as Tornado takes them; the first that matches a path counts.

    Parameters
    ----------
    app_arguments
        Arguments of Voilà's page handler.
    """
    page_paths = [*(path for path in pages.ROUTES if path != "/"), *openapi.PAGES, *(app.path for app in apps.APPS)]
    return [
        *((re.escape(path), handler, {"route": path}) for path, handler in (openapi.ROUTES | pages.ROUTES).items()),
        *(
            (re.escape(path), apps.AppHandler, {"app": app, "route": app.path, **app_arguments})
            for app in apps.APPS
            for path in (app.path, f"/voila/render/{app.notebook}")
        ),
        (f"({'|'.join(map(re.escape, page_paths))})/", pages.TrailingSlashHandler, {"route": "(slash)"}),
        (f"/session/{KERNEL_ID}", sessions.SessionHandler),
        (f"/voila/api/shutdown/{KERNEL_ID}", sessions.EndSessionHandler),
        (f"/api/kernels/{KERNEL_ID}", sessions.KernelModelHandler),
        (f"/api/kernels/{KERNEL_ID}/channels", sessions.KernelWebsocketHandler),
        *((f"{prefix}(.*)", StaticHandler, {"find": find}) for prefix, find in page_files.FILES.items()),
        (r"/(robots\.txt)", RobotsHandler, {"find": OWN_FILES}),
        (r"/(favicon\.ico|apple-touch-icon\.png|manifest\.json)", StaticHandler, {"find": OWN_FILES}),
        ("/(?:api|health)(?:/.*)?", base_handler.NotFoundHandler),
        (".*", pages.NotFoundPageHandler, {"route": "(no page)"}),
    ]
