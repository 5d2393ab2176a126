"""The pages without a kernel: landing page, model card, sign-in, errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
import mistune
from markupsafe import Markup

from catsdogs import __version__
from catsdogs.i18n import LANGUAGES, N_
from catsdogs.server.auth import Operator
from catsdogs.server.base_handler import HeadAsGetHandler, status_code_of
from catsdogs.server.model_page import page_texts
from catsdogs.server.rate_limit import TooManyRequests
from catsdogs.server.static_files import static_url

TEMPLATES = Path(__file__).parent / "template"

_environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
_environment.globals["static_url"] = static_url
_markdown = mistune.create_markdown(escape=True, plugins=["table"])  # others may have written the card


class PageHandler(HeadAsGetHandler):
    """Base of the handlers of pages, in the visitor's language."""

    def initialize(self, route: str) -> None:
        """Set the route for the access log."""
        self.route = route

    def localised(self, path: str) -> str:
        """Return the path of another page, with the language that the visitor chose."""
        chosen = self.chosen_language
        return f"{path}?{urlencode({'lang': chosen})}" if chosen in LANGUAGES else path

    def with_query(self, path: str) -> str:
        """Return the path of another page, with this one's query, so that a shared link survives the sign-in."""
        return f"{path}?{self.request.query}" if self.request.query else path

    def write_page(self, template: str, **values: Any) -> None:
        """Render a template and write it."""
        _ = self.translator
        values |= {"_": _, "languages": LANGUAGES, "localised": self.localised, "path": self.request.path}
        labels = {
            "model": _("The model"),
            "monitoring": _("Monitoring"),
            "retry": _("Try again"),
            "home": _("Start page"),
        }
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Vary", "Accept-Language")
        self.finish(_environment.get_template(template).render(values, labels=labels, version=__version__))

    def write_error_body(self, status: int, message: str) -> None:
        """Write an error as a page."""
        self.write_page("error.html", status=status, message=message)


class LandingHandler(PageHandler):
    """``/``: the landing page."""

    def get(self) -> None:
        """Write the page."""
        self.write_page("landing.html", texts=landing_texts(self))


def landing_texts(page: PageHandler) -> dict[str, Any]:
    """Return the texts of the landing page."""
    _ = page.translator
    return {
        "title": _("Cat or dog?"),
        "lead": _("Choose a photo. You see at once whether it shows a cat or a dog, and how sure the model is."),
        "start": _("Try a photo"),
        "points": [
            (
                _("An honest answer"),
                _("Both probabilities, and “neither” when the photo shows no cat and no dog."),
                None,
            ),
            (
                _("Your photo stays yours"),
                _("Nothing personal is kept unless you say so, and what is kept you can erase."),
                ("/inference", "#my-data", _("See or erase my data")),
            ),
            (_("You have the last word"), _("Say whether the answer was right: that is how we watch the model."), None),
        ],
    }


class ModelCardHandler(PageHandler):
    """``/info``: the model card."""

    async def get(self) -> None:
        """Write the page."""
        server = self.settings["catsdogs"]
        card, text = await server.status_pool.run(server.service.model_card)
        whole = Markup(_markdown(text))  # noqa: S704 (what is not Markdown was escaped)
        self.write_page(
            "info.html", title=self.translator("The model"), card=page_texts(card, self.translator), whole=whole
        )


class LoginHandler(PageHandler):
    """``/login``: the operator's sign-in."""

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
                self.redirect(self.with_query("/monitoring"), status=303)
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
        """Delete the cookie; without one, this changes nothing."""
        Operator.sign_out(self)
        self.redirect(self.localised("/"))

    post = get


class NotFoundPageHandler(PageHandler):
    """Paths outside the REST API that have no route."""

    def prepare(self) -> None:
        """Answer 404 to every method."""
        self.set_status(404)
        self.write_error_body(404, self.error_message(404, None))

    def check_xsrf_cookie(self) -> None:
        """Check nothing: this handler has no effect."""


ROUTES: dict[str, type[PageHandler]] = {
    "/": LandingHandler,
    "/info": ModelCardHandler,
    "/login": LoginHandler,
    "/logout": LogoutHandler,
}
