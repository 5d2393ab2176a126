"""Asking what may be kept: empty boxes, one a purpose, and what happens with a person's data."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import traitlets

from catsdogs.domain import Consent, ConsentChannel, DataController
from catsdogs.i18n import Translator
from catsdogs.records.consent_notice import PURPOSES, QUESTION, REASSURANCE, notice
from catsdogs.widgets.base import Part, field, not_understood, script, style


class ConsentForm(Part):
    """Holds a person's decision of this visit; nothing is ticked for them.

    Parameters
    ----------
    controller
        Whom the notice names.
    on_again
        Called when the person asks that the photo before them be answered again under the
        decision as it is now; offered only while `late`.
    """

    _esm = script("carried", "consent_form")
    _css = style("consent_form")

    purposes: traitlets.List[list[str]] = traitlets.List().tag(sync=True)
    """What is asked, as field, label and explanation."""
    notice: traitlets.List[str] = traitlets.List().tag(sync=True)
    ticked = traitlets.List(traitlets.Unicode()).tag(sync=True)
    """Fields of :class:`~catsdogs.domain.Consent` that the person agreed to."""
    late = traitlets.Bool().tag(sync=True)
    """Whether the decision is another than the one under which the photo shown was answered."""

    def __init__(self, translator: Translator, controller: DataController, on_again: Callable[[], None]) -> None:
        _ = translator
        super().__init__(
            translator,
            {
                "question": _(QUESTION),
                "reassurance": _(REASSURANCE),
                "notice": _("What happens with my data?"),
                "late": _("This counts from your next photo on."),
                "again": _("Use it for this photo, too"),
            },
            purposes=[[purpose.field, _(purpose.label), _(purpose.explanation)] for purpose in PURPOSES],
            notice=notice(_, controller),
        )
        self._on_again = on_again
        self._applied: Consent | None = None

    @property
    def decision(self) -> Consent:
        """What the person agrees to at this moment."""
        return Consent(**dict.fromkeys(self.ticked, True), language=self._.language, how=ConsentChannel.APP)

    def applied(self, decision: Consent | None) -> None:
        """Note under which `decision` the photo shown was answered; ``None``: it was not."""
        self._applied = decision
        self.late = False

    def receive(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:  # noqa: ARG002
        """Take a tick, or the wish to have the photo answered again."""
        if content.get("ask") == "again":
            self._on_again()
            return
        purpose, agreed = field(content, "purpose", str), field(content, "agreed", bool)
        if purpose not in (known.field for known in PURPOSES):
            raise not_understood()
        self.ticked = [*(other for other in self.ticked if other != purpose), *([purpose] if agreed else [])]
        self.late = self._applied is not None and self.decision != self._applied
