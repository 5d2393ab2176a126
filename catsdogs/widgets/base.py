"""What all widgets of the apps share: translated texts, style sheets, and a reply to each message of the browser.

A widget is an anywidget: a small ES module draws it with ``textContent`` only, so that what a person wrote is never
markup, and sends custom messages to the kernel. Messages instead of synchronised traits: the front end may hold back
a trait's update while the kernel is busy, and a consent must never arrive after the photo.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, TypeVar
from weakref import WeakSet

import anywidget
import traitlets

from catsdogs.errors import CatsDogsError, Conflict, ConsentRequired, InvalidInput, NotFound
from catsdogs.i18n import Translator
from catsdogs.records.user_texts import storable
from catsdogs.widgets.assets import common_texts, script, style

__all__ = ["BaseWidget", "invalid_message", "log_error", "message_choice", "message_field", "script", "style"]

E = TypeVar("E", bound=StrEnum)

KEPT_REPLIES = 100
"""Number of latest messages of a widget whose replies are kept, for a page that sends a message again."""

_widgets: WeakSet[BaseWidget] = WeakSet()
"""All widgets of this process."""


class BaseWidget(anywidget.AnyWidget):
    """A widget in one language.

    Parameters
    ----------
    translator
        Translates the texts.
    texts
        Texts that the ES module shows, already translated.
    """

    texts = traitlets.Dict().tag(sync=True)
    language = traitlets.Unicode().tag(sync=True)

    def __init__(self, translator: Translator, texts: dict[str, str], **traits: object) -> None:
        self._ = translator
        super().__init__(texts=common_texts(translator) | texts, language=translator.language, **traits)
        self._problems: dict[str, str] = {}  # by the id of the message: what was replied to the latest ones
        _widgets.add(self)
        self.on_msg(lambda _widget, content, buffers: self._reply(content, buffers))

    def handle_message(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:  # noqa: ARG002
        """Handle a message of the browser; by default, refuse it. The page shows the message of what is raised.

        Parameters
        ----------
        content
            Fields of the message: ``action`` says what to do, the others depend on it.
        buffers
            Binary data of the message.
        """
        raise invalid_message()

    def _reply(self, content: object, buffers: Sequence[memoryview]) -> None:
        if not isinstance(content, dict):
            return
        message_id = content.get("id")
        problem = self._problems.get(message_id) if isinstance(message_id, str) else None
        if problem is not None:  # the page sends it again: its connection was interrupted before the reply
            for widget in list(_widgets):
                widget.send_again()
        else:
            problem = self._handle(content, buffers)
            if isinstance(message_id, str):
                self._problems[message_id] = problem
            if len(self._problems) > KEPT_REPLIES:
                del self._problems[next(iter(self._problems))]
        self.send({"reply": message_id, "problem": problem})

    def send_again(self) -> None:
        """Send what the widget shows: its last changes may have been lost with an interrupted connection."""
        fixed = BaseWidget.class_trait_names()
        self.send_state([name for name in self.keys if not name.startswith("_") and name not in fixed])

    def _handle(self, content: dict[str, object], buffers: Sequence[memoryview]) -> str:
        """Handle a message; return the error message for the person, or ""."""
        try:
            self.handle_message(content, buffers)
        except CatsDogsError as error:
            log_error(self.log, error)
            return self._.describe(error)
        except Exception:
            self.log.exception("%s failed to handle a message", type(self).__name__)
            _ = self._
            return _("Something went wrong on our side. Please try again in a moment.")
        return ""


def log_error(log: logging.Logger, error: CatsDogsError) -> None:
    """Log an error of the service by its kind: its message is in the reader's language, and the server's log has it.

    What a person can do wrong, such as a receipt code that is mistyped, is no warning.
    """
    is_persons = isinstance(error, InvalidInput | ConsentRequired | NotFound | Conflict)
    log.log(logging.INFO if is_persons else logging.WARNING, "%s", type(error).__name__, exc_info=error.__cause__)


def message_field(content: dict[str, object], name: str, kind: type[Any]) -> Any:
    """Return a field of a message from the browser; a text as it can be stored.

    Raises
    ------
    InvalidInput
        It is missing or not of type `kind`.
    """
    value = content.get(name)
    if not isinstance(value, kind):
        raise invalid_message()
    return storable(value) if isinstance(value, str) else value


def message_choice(content: dict[str, object], name: str, choices: type[E]) -> E:
    """Return a field of a message from the browser as a member of an enumeration.

    Raises
    ------
    InvalidInput
        It is missing or not one of `choices`.
    """
    try:
        return choices(message_field(content, name, str))
    except ValueError:
        raise invalid_message() from None


def invalid_message() -> InvalidInput:
    """Create the error for a message that the apps' own pages do not send."""
    return InvalidInput("The page sent something that was not understood. Reload it and try again.")
