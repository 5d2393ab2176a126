"""The consent form: one empty checkbox per purpose, and the privacy notice."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import traitlets

from catsdogs.domain import Consent, ConsentChannel, DataController, PurposeName
from catsdogs.i18n import Translator
from catsdogs.records.consent_notice import PURPOSES, QUESTION, REASSURANCE, notice
from catsdogs.widgets.base import BaseWidget, invalid_message, message_choice, message_field, script, style


class ConsentForm(BaseWidget):
    """Holds a person's decision in this session; no box is ticked beforehand.

    Parameters
    ----------
    translator
        Translates the texts.
    controller
        Data controller, whom the notice names.
    on_apply
        Called when the person asks to apply the decision to the photo shown, too; offered only while
        `decision_changed`.
    """

    _esm = script("language_switch", "consent_form")
    _css = style("consent_form")

    purposes: traitlets.List[list[str]] = traitlets.List().tag(sync=True)
    """Field, label and explanation of each purpose."""
    notice: traitlets.List[str] = traitlets.List().tag(sync=True)
    """Paragraphs of the privacy notice."""
    agreed_purposes = traitlets.List(traitlets.Unicode()).tag(sync=True)
    """Fields of :class:`~catsdogs.domain.Consent` that the person agreed to."""
    decision_changed = traitlets.Bool().tag(sync=True)
    """Whether the decision differs from the one under which the photo shown was recorded."""

    def __init__(self, translator: Translator, controller: DataController, on_apply: Callable[[], None]) -> None:
        _ = translator
        super().__init__(
            translator,
            {
                "question": _(QUESTION),
                "reassurance": _(REASSURANCE),
                "notice": _("What happens with my data?"),
                "from_next_photo": _("Your choice applies from your next photo on."),
                "apply": _("Apply it to this photo, too"),
            },
            purposes=[[purpose.field, _(purpose.label), _(purpose.explanation)] for purpose in PURPOSES],
            notice=notice(_, controller),
        )
        self._on_apply = on_apply
        self._applied: Consent | None = None

    @property
    def decision(self) -> Consent:
        """What the person agrees to now."""
        agreed = dict.fromkeys(self.agreed_purposes, True)
        return Consent(**agreed, language=self._.language, channel=ConsentChannel.APP)

    def set_applied(self, decision: Consent | None) -> None:
        """Note the `decision` under which the photo shown was recorded; ``None`` where none was recorded."""
        self._applied = decision
        self.decision_changed = False

    def handle_message(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:  # noqa: ARG002
        """Note whether a person agrees to a purpose, or apply their decision to the photo shown."""
        match message_field(content, "action", str):
            case "apply":
                self._on_apply()
            case "agree":
                agreed = message_field(content, "agreed", bool)
                self._agree(message_choice(content, "purpose", PurposeName), agreed=agreed)
            case _:
                raise invalid_message()

    def _agree(self, purpose: PurposeName, *, agreed: bool) -> None:
        others = [other for other in self.agreed_purposes if other != purpose]
        self.agreed_purposes = [*others, str(purpose)] if agreed else others
        self.decision_changed = self._applied is not None and self.decision != self._applied
