"""Static files: ours, and those of Voilà's JavaScript that are needed."""

from __future__ import annotations

from jupyter_server.base.handlers import FileFindHandler
from tornado.web import StaticFileHandler
from voila.static_file_handler import MultiStaticFileHandler, TemplateStaticFileHandler

from catsdogs.server.base_handler import BaseHandler
from catsdogs.server.voila.patches import StaticPathPatches, TemplateStaticPatches
from catsdogs.server.voila.rendering import TEMPLATE


class ExtensionStaticHandler(BaseHandler, FileFindHandler):
    """Front ends of JupyterLab extensions; errors are ours, since Jupyter's need settings of Jupyter's own server."""


class OwnStaticHandler(StaticPathPatches, BaseHandler, StaticFileHandler):
    """Our own static files."""


class VoilaStaticHandler(StaticPathPatches, BaseHandler, MultiStaticFileHandler):  # type: ignore[misc]
    """Voilà's static files."""


class TemplateStaticHandler(TemplateStaticPatches, BaseHandler, TemplateStaticFileHandler):  # type: ignore[misc]
    """Static files of the only template that is used."""

    template = TEMPLATE
