"""A view as it is seen: at a moment, by a reader's clock."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any

from catsdogs.i18n import Translator
from catsdogs.monitoring.charts import answer_name
from catsdogs.monitoring.figures import Listing
from catsdogs.widgets.view import View


@dataclass(frozen=True, slots=True)
class Seen:
    """What is looked at, when, and with the wall clock of which zone."""

    view: View
    now: datetime
    zone: tzinfo

    @property
    def chosen(self) -> dict[str, Any]:
        """The window, model version and answer, as :meth:`catsdogs.service.interface.Service.statistics` takes them."""
        start, end = self.view.bounds(self.now)
        return {
            "start": start,
            "end": end,
            "model_version": self.view.model_version or None,
            "answer": self.view.answer or None,
        }

    @property
    def name(self) -> str:
        """Stays the same as long as nothing else is looked at, by the same clock."""
        return f"{self.view.address()} {self.zone}"

    def of_all_answers(self) -> Seen:
        """Look at the same window and model, whatever was answered and is listed."""
        return replace(self, view=replace(self.view, answer="", listing=Listing.LATEST))

    def caption(self, _: Translator) -> str:
        """Say the period, the model and the answer: a picture goes where no controls stand beside it."""
        start, end = self._period()
        there = {"end": _.datetime(end), "zone": str(self.zone)}
        period = (
            _("Up to {end} ({zone})", **there)
            if start is None
            else _("{start} to {end} ({zone})", start=_.datetime(start), **there)
        )
        version, answer = self.view.model_version, self.view.answer
        model = _("Model {version}", version=version) if version else _("All models")
        return " · ".join((period, model, answer_name(answer, _) if answer else _("All answers")))

    @property
    def suffix(self) -> str:
        """Say the period, the model and the answer in the name of a file."""
        model = re.sub(r"[^\w.-]+", "-", self.view.model_version)
        moments = (f"{moment:%Y-%m-%d-%H%M}" if moment else "until" for moment in self._period())
        return "".join(f"_{part}" for part in (*moments, model, self.view.answer) if part)

    def named(self, file: str) -> str:
        """Say in the name of a file what it is of."""
        stem, dot, ending = file.rpartition(".")
        return f"{stem}{self.suffix}{dot}{ending}"

    def _period(self) -> tuple[datetime | None, datetime]:
        start, end = self.view.bounds(self.now)
        return start and start.astimezone(self.zone), (end or self.now).astimezone(self.zone)
