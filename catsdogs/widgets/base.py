"""What all parts of an app have in common: texts, looks, and an answer to everything the browser asks.

A part is an anywidget: a small ES module draws it with ``textContent`` only (what a person wrote is text
everywhere), and asks the kernel by custom messages. Custom messages, not synchronised traits: a
trait's update may be held back while the kernel is busy, and a consent must never arrive after the photo.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, TypeVar

import anywidget
import traitlets

from catsdogs.errors import CatsDogsError, ConsentRequired, InvalidInput
from catsdogs.i18n import Translator
from catsdogs.widgets.assets import common_texts, script, style

__all__ = ["BaseWidget", "invalid_message", "message_choice", "message_field", "script", "style"]

E = TypeVar("E", bound=StrEnum)


class BaseWidget(anywidget.AnyWidget):
    """A part of an app, in one language.

    Parameters
    ----------
    translator
        Says the texts.
    texts
        What the ES module shows, already translated.
    """

    texts = traitlets.Dict().tag(sync=True)
    language = traitlets.Unicode().tag(sync=True)

    def __init__(self, translator: Translator, texts: dict[str, str], **traits: object) -> None:
        self._ = translator
        super().__init__(texts=common_texts(translator) | texts, language=translator.language, **traits)
        self.on_msg(lambda _part, content, buffers: self._handle(content, buffers))

    def handle_message(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:  # noqa: ARG002
        """Do what the browser asks for; by default, nothing. What is raised becomes a sentence in the page."""
        raise invalid_message()

    def _handle(self, content: object, buffers: Sequence[memoryview]) -> None:
        if not isinstance(content, dict):
            return
        problem = ""
        try:
            self.handle_message(content, buffers)
        except CatsDogsError as error:
            level = logging.INFO if isinstance(error, InvalidInput | ConsentRequired) else logging.WARNING
            self.log.log(level, "%s: %s", type(error).__name__, error, exc_info=error.__cause__)
            problem = self._.describe(error)
        except Exception:
            self.log.exception("%s could not do what it was asked", type(self).__name__)
            _ = self._
            problem = _("Something went wrong on our side. Please try again in a moment.")
        self.send({"reply": content.get("id"), "problem": problem})


def message_field(content: dict[str, object], name: str, kind: type[Any]) -> Any:
    """Give a field of a message from the browser, which may hold anything.

    Raises
    ------
    InvalidInput
        It is missing or not of `kind`.
    """
    value = content.get(name)
    if not isinstance(value, kind):
        raise invalid_message()
    return value


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
    """Make the error for a message that no page of ours sends."""
    return InvalidInput("The page sent something that was not understood. Reload it and try again.")
