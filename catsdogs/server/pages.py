"""The pages without a kernel: landing page, model card, privacy notice, sign-in, errors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
import mistune
from markupsafe import Markup
from tornado.web import stream_request_body

from catsdogs import __version__
from catsdogs.i18n import LANGUAGES, N_, Translator
from catsdogs.records.consent_notice import notice
from catsdogs.server.base_handler import HeadAsGetHandler, status_code_of
from catsdogs.server.model_page import page_texts
from catsdogs.server.rate_limit import TooManyRequests
from catsdogs.server.security_headers import NOBODY, page_policy
from catsdogs.server.static_files import static_url
from catsdogs.server.urls import relative_reference

TEMPLATES = Path(__file__).parent / "template"

_environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
_markdown = mistune.create_markdown(escape=True, plugins=["table"])  # others may have written the card


OPEN_GRAPH_LOCALES = {"en": "en_GB", "fr": "fr_FR"}

_HOST = re.compile(r"([\w.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?", re.ASCII)


class PageHandler(HeadAsGetHandler):
    """Base of the handlers of pages, in the visitor's language."""

    is_indexed = False
    """Whether search engines may list the page."""
    frame_ancestors: str = NOBODY
    """Sites that may show the page in a frame."""

    def initialize(self, route: str) -> None:
        """Set the route for the access log."""
        self.route = route

    def set_default_headers(self) -> None:
        """Let only the browser store a page: its language and the host in it are those of one request."""
        super().set_default_headers()
        self.set_header("Cache-Control", "private, no-cache")

    @property
    def origin(self) -> str:
        """Scheme and host of this server, as the client named them; empty where that is no name of a host."""
        return f"{self.request.protocol}://{self.request.host}" if _HOST.fullmatch(self.request.host) else ""

    def head_of_page(self, title: str, description: str = "") -> dict[str, Any]:
        """Return what the head of the page tells browsers, search engines and link previews: see ``voila/head.html``.

        Parameters
        ----------
        description
            One or two sentences; none for pages that nobody searches for or shares, such as errors.
        """
        _, address = self.translator, self.origin + self.address(self.route)
        alternates = {code: f"{address}?lang={code}" for code in LANGUAGES}
        return {
            "title": title,
            "description": description,
            "is_indexed": self.is_indexed,
            "locale": OPEN_GRAPH_LOCALES[_.language],
            "other_locales": [locale for code, locale in OPEN_GRAPH_LOCALES.items() if code != _.language],
            # previews need whole addresses
            "url": alternates.get(self.chosen_language or "", address) if self.origin else "",
            "alternates": {**alternates, "x-default": address},
            "prefix": self.prefix,
            "icon": self.static_address("icon.svg"),
            "image": self.origin + self.static_address("icon.png"),
            "image_alt": _("A drawing of a cat and a dog"),
        }

    def address(self, path: str) -> str:
        """Return the address of a path of this server, as the browser sees it."""
        return self.prefix + path

    def static_address(self, name: str) -> str:
        """Return the address of one of our own static files."""
        return self.address(static_url(name))

    def localised(self, path: str) -> str:
        """Return the address of another page, with the language that the visitor chose."""
        return self.address(self.with_language(path))

    def with_language(self, path: str) -> str:
        """Return the path of another page, with the language that the visitor chose."""
        chosen = self.chosen_language
        return f"{path}?{urlencode({'lang': chosen})}" if chosen in LANGUAGES else path

    def with_query(self, path: str) -> str:
        """Return the path of another page, with this one's query, so that a shared link survives the sign-in."""
        return f"{path}?{self.request.query}" if self.request.query else path

    def redirect_to(self, path: str, **options: Any) -> None:
        """Redirect to a path of this server."""
        self.redirect(relative_reference(self.request.path, path), **options)

    def write_page(self, template: str, *, title: str, description: str = "", **values: Any) -> None:
        """Render a template and write it."""
        _ = self.translator
        values |= {"_": _, "languages": LANGUAGES, "localised": self.localised, "path": self.request.path}
        values |= {"static_url": self.static_address}
        labels = {
            "model": _("The model"),
            "monitoring": _("Monitoring"),
            "privacy": _("Privacy"),
            "api": _("REST API"),
        }
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Vary", "Accept-Language")
        self.set_header("Content-Security-Policy", page_policy(self.frame_ancestors))
        head = self.head_of_page(title, description)
        self.finish(_environment.get_template(template).render(values, head=head, labels=labels, version=__version__))

    def write_error_body(self, status: int, message: str, retry_after: int | None = None) -> None:
        """Write an error as a page; a page that can be opened later tries again by itself."""
        _ = self.translator
        again = self.address(self.with_query(self.request.path)), _("Try again")
        self.write_page(
            "error.html",
            title=message,
            status=status,
            link=again if status >= 500 else (self.localised("/"), _("Start page")),
            retry_after=retry_after if status == 503 and self.request.method == "GET" else None,
            retries=_("You need not do anything: this page tries again by itself."),
        )


class LandingHandler(PageHandler):
    """``/``: the landing page."""

    is_indexed = True

    def get(self) -> None:
        """Write the page."""
        _ = self.translator
        self.write_page(
            "landing.html",
            title=_("Cat or dog?"),
            description=_(APP_DESCRIPTION),
            start=_("Try a photo"),
            points=landing_points(_),
        )


APP_DESCRIPTION = N_("Choose a photo. The model says whether it shows a cat or a dog, and how sure it is.")


def landing_points(_: Translator) -> list[tuple[str, str, tuple[str, str, str] | None]]:
    """Return heading, text and link of each point of the landing page."""
    return [
        (
            _("An honest answer"),
            _("The probabilities of cat, dog and neither, and “hard to say” where the model is not sure."),
            None,
        ),
        (
            _("Your photo stays yours"),
            _("Nothing personal is kept unless you say so, and what is kept you can erase."),
            ("/inference", "#my-data", _("See or erase my data")),
        ),
        (_("You have the last word"), _("Say whether the answer was right: that is how we watch the model."), None),
    ]


class ModelCardHandler(PageHandler):
    """``/info``: the model card."""

    is_indexed = True

    async def get(self) -> None:
        """Write the page."""
        server, _ = self.settings["catsdogs"], self.translator
        card, text = await server.status_pool.run(server.service.model_card)
        whole = Markup(_markdown(text))  # noqa: S704 (what is not Markdown was escaped)
        self.write_page(
            "info.html",
            title=_("The model"),
            description=_("What the model can do, how that was measured, and what it cannot do."),
            card=page_texts(card, _),
            whole=whole,
        )


class PrivacyHandler(PageHandler):
    """``/privacy``: the privacy notice, which the prediction app shows, too."""

    is_indexed = True

    def get(self) -> None:
        """Write the page."""
        _, controller = self.translator, self.settings["catsdogs"].settings.data_controller
        self.write_page(
            "privacy.html",
            title=_("Privacy"),
            description=_("What is kept of you and your photos, and how you have it erased."),
            paragraphs=notice(_, controller),
            link=("/inference", "#my-data", _("See or erase my data")),
        )


class LoginHandler(PageHandler):
    """``/login``: the operator's sign-in."""

    max_body = 64 * 1024

    def get(self) -> None:
        """Write the form."""
        self._write_form()

    async def post(self) -> None:
        """Check the password; sign in, or write the form again."""
        server = self.settings["catsdogs"]
        client = server.clients.name_of(self.request)
        password = self.get_body_argument("password", "", strip=False)
        try:
            server.operator.count_attempt(client)
            if await server.sign_in_pool.run(server.operator.is_password, password):
                server.operator.reset_attempts(client)
                server.operator.sign_in(self)
                self.redirect_to(self.with_query("/monitoring"), status=303)
                return
            problem, status = self.translator(N_("This is not the password.")), 401
        except TooManyRequests as error:
            problem, status = self.translator.describe(error), status_code_of(error)
            self.set_header("Retry-After", error.retry_after)
        self.set_status(status)
        self._write_form(problem)

    def _write_form(self, problem: str = "") -> None:
        _ = self.translator
        self.set_header("Cache-Control", "no-store")
        self.write_page(
            "login.html",
            title=_("Operator sign-in"),
            password=_("Password"),
            submit=_("Sign in"),
            hint=_("The password is CATSDOGS_OPERATOR_PASSWORD, in the .env file of the server."),
            problem=problem,
            xsrf=self.xsrf_form_html(),
        )


class LogoutHandler(PageHandler):
    """``/logout``: the operator's sign-out."""

    def get(self) -> None:
        """End the sign-in; without one, this changes nothing."""
        self.settings["catsdogs"].operator.sign_out(self)
        self.redirect_to(self.with_language("/"))

    post = get


class TrailingSlashHandler(PageHandler):
    """The address of a page with a slash behind it, as people write it."""

    def get(self, path: str) -> None:
        """Redirect to the page."""
        self.redirect_to(self.with_query(path), permanent=True)


@stream_request_body
class NotFoundPageHandler(PageHandler):
    """Paths outside the REST API that have no route."""

    def prepare(self) -> None:
        """Answer 404 to every method."""
        self.set_status(404)
        self.write_error_body(404, self.error_message(404, None))

    def check_xsrf_cookie(self) -> None:
        """Check nothing: this handler has no effect."""

    def data_received(self, chunk: bytes) -> None:
        """Drop what was sent."""


ROUTES: dict[str, type[PageHandler]] = {
    "/": LandingHandler,
    "/info": ModelCardHandler,
    "/privacy": PrivacyHandler,
    "/login": LoginHandler,
    "/logout": LogoutHandler,
}
