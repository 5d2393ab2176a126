"""Static files: ours, and those of Voilà's JavaScript that are needed."""

from __future__ import annotations

from urllib.parse import unquote

from jupyter_server.base.handlers import FileFindHandler
from tornado.web import HTTPError, StaticFileHandler
from voila.static_file_handler import MultiStaticFileHandler, TemplateStaticFileHandler

from catsdogs.server.base_handler import BaseHandler

_TEMPLATE_STATIC = "lab/static/"


class ExtensionStaticHandler(BaseHandler, FileFindHandler):
    """Front ends of JupyterLab extensions; errors are ours, since Jupyter's need settings of Jupyter's own server."""


class StaticPathHandler(BaseHandler):
    """Base of the handlers of static files: refuses paths that no file can have.

    Tornado's and Voilà's handlers fail with 500 on such paths, and log the visitor's address then.
    """

    def prepare(self) -> None:
        """Check the path.

        Raises
        ------
        HTTPError
            404: the path has a null character or "..", or names a folder.
        """
        path = unquote(self.request.path)
        if "\0" in path or ".." in path.split("/") or path.endswith("/"):
            raise HTTPError(404)


class OwnStaticHandler(StaticPathHandler, StaticFileHandler):
    """Our own static files."""


class VoilaStaticHandler(StaticPathHandler, MultiStaticFileHandler):  # type: ignore[misc]
    """Voilà's static files."""


class TemplateStaticHandler(StaticPathHandler, TemplateStaticFileHandler):  # type: ignore[misc]
    """Static files of the only template that is used; Voilà's handler fails on any other path."""

    def parse_url_path(self, url_path: str) -> str:
        """Check the name of the template.

        Raises
        ------
        HTTPError
            404: another template.
        """
        if not url_path.startswith(_TEMPLATE_STATIC):
            raise HTTPError(404)
        return str(super().parse_url_path(url_path))
