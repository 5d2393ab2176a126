"""Every route of the server: the REST API's, the pages', the apps', and the static files of Voilà."""

from __future__ import annotations

import re
from typing import Any

from jupyter_server.base.handlers import FileFindHandler
from voila.static_file_handler import MultiStaticFileHandler

from catsdogs import samples
from catsdogs.server import base_handler, pages
from catsdogs.server.api import openapi
from catsdogs.server.voila import apps, bundle, preload, sessions, static_files

KERNEL_ID = r"(?P<kernel_id>\w+-\w+-\w+-\w+-\w+)"

_KEPT_HANDLERS = {
    MultiStaticFileHandler: static_files.VoilaStaticHandler,
    FileFindHandler: static_files.ExtensionStaticHandler,
}
"""Voilà's own handlers that are kept, for its JavaScript, style sheets and fonts, and what replaces them."""


def routes(voila_routes: list[Any], app_arguments: dict[str, Any]) -> list[Any]:
    """List the routes as Tornado takes them; the first that matches a path counts.

    Parameters
    ----------
    voila_routes
        Voilà's own routes, most of which are left out.
    app_arguments
        Arguments of Voilà's page handler.
    """
    own_static = {"path": str(pages.STATIC)}
    return [
        *((re.escape(path), handler, {"route": path}) for path, handler in (openapi.ROUTES | pages.ROUTES).items()),
        *(
            (re.escape(path), apps.AppHandler, {"app": app, "route": app.path, **app_arguments})
            for app in apps.APPS
            for path in (app.path, f"/voila/render/{app.notebook}")
        ),
        (f"/session/{KERNEL_ID}", sessions.SessionHandler),
        (f"/voila/api/shutdown/{KERNEL_ID}", sessions.EndSessionHandler),
        (f"/api/kernels/{KERNEL_ID}", sessions.KernelModelHandler),
        (f"/api/kernels/{KERNEL_ID}/channels", sessions.KernelWebsocketHandler),
        ("/voila/templates/(.*)", static_files.TemplateStaticHandler),
        *((rule[0], _KEPT_HANDLERS[rule[1]], *rule[2:]) for rule in voila_routes if rule[1] in _KEPT_HANDLERS),
        ("/preload/(.*)", preload.PreloadHandler),
        (r"/bundle/(\w+)\.js", bundle.BundleHandler),
        (r"/samples/(\w+\.jpg)", static_files.OwnStaticHandler, {"path": str(samples.FOLDER)}),
        ("/static/(.*)", static_files.OwnStaticHandler, own_static),
        ("/(favicon.ico)", static_files.OwnStaticHandler, own_static),
        ("/(?:api|health)(?:/.*)?", base_handler.NotFoundHandler),
        (".*", pages.NotFoundPageHandler, {"route": "(no page)"}),
    ]
