"""The time axis of the charts: where a moment lies on it, and how times are written, in the reader's zone and language.

Plotly knows no time zones: it draws times without one. Where the clock changes, an hour would come twice or never. So
a moment is placed at its distance from the start of the window, and the axis begins with the reader's clock there.
Where the clock changes in the window, the marks of the axis are computed here, by the reader's clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

import plotly.graph_objects as go
from babel.dates import format_date, format_skeleton, format_time

from catsdogs.i18n import Translator

MAX_TICKS = 6
"""Largest number of marks, where they are computed here: as many as a phone has room for."""

_HOUR_STEPS, _DAY_STEPS, _MONTH_STEPS = (1, 2, 3, 6, 12), (1, 2, 7, 14), (1, 3, 6, 12)
_SECOND, _MINUTE, _HOUR, _DAY = (1000 * seconds for seconds in (1, 60, 3600, 86400))
_TICK_FORMATS = {
    "en": ("%-I:%M:%S %p\n%b %-d", "%-I:%M %p\n%b %-d", "%-I %p\n%b %-d", "%b %-d\n%Y", "%b %Y", "%Y"),
    "fr": ("%H:%M:%S\n%-d %b", "%H:%M\n%-d %b", "%H:%M\n%-d %b", "%-d %b\n%Y", "%b %Y", "%Y"),
}
_TICK_RANGES = ((None, _MINUTE), (_MINUTE, _HOUR), (_HOUR, _DAY), (_DAY, "M1"), ("M1", "M12"), ("M12", None))


class TimeAxis:
    """The time axis of a chart of buckets.

    Parameters
    ----------
    starts
        Starts of the buckets, in order, at least one.
    width
        Width of a bucket.
    zone
        Time zone of the reader.
    """

    def __init__(self, starts: Sequence[datetime], width: timedelta, zone: tzinfo, _: Translator) -> None:
        self._zone, self._, self._width = zone, _, width
        self.starts = [start.astimezone(UTC) for start in starts]
        self.ends = [start + width for start in self.starts]
        self._offset = self._offset_at(self.starts[0])
        self._clock_changes = any(self._offset_at(moment) != self._offset for moment in self.ends)

    @property
    def places(self) -> list[str]:
        """Where each bucket lies: its middle."""
        return [self.place(start + (end - start) / 2) for start, end in zip(self.starts, self.ends, strict=True)]

    @property
    def bar_width(self) -> float:
        """Width of a bar that fills most of a bucket, in milliseconds."""
        return self._width.total_seconds() * 1000 * 0.92

    def pooled(self, size: int) -> TimeAxis:
        """Return the same axis for groups of `size` buckets; the last group may be smaller."""
        pooled = TimeAxis(self.starts[::size], self._width * size, self._zone, self._)
        pooled.ends[-1] = self.ends[-1]
        return pooled

    def place(self, moment: datetime) -> str:
        """Return where a moment lies on the axis, as Plotly takes it."""
        return (moment.astimezone(UTC) + self._offset).replace(tzinfo=None).isoformat()

    def add_spans(self, fig: go.Figure, level: float = 0.0) -> None:
        """Let the pointer show the whole span of a bucket; `level` lies within the vertical axis."""
        fig.add_scatter(
            x=self.places,
            y=[level] * len(self.starts),
            customdata=[self.span(start, end) for start, end in zip(self.starts, self.ends, strict=True)],
            mode="lines",
            line={"width": 0, "color": "rgba(0,0,0,0)"},
            hovertemplate="<b>%{customdata}</b><extra></extra>",
            showlegend=False,
        )

    def span(self, start: datetime, end: datetime) -> str:
        """Write from when to when, by the reader's clock; where that changes in the window, with the zone's name."""
        first, last = start.astimezone(self._zone), end.astimezone(self._zone)
        if first.time() == last.time() == time.min:
            final = last.date() - timedelta(days=1)
            days = [self._day(first.date()), *([self._day(final)] if final != first.date() else [])]
            return " – ".join(days)
        start_text, end_text = self._time(first), self._time(last)
        if self._clock_changes:
            start_text += f" {first.tzname()}" if first.tzname() != last.tzname() else ""
            end_text += f" {last.tzname()}"
        if first.date() != last.date():
            end_text = f"{self._day(last.date())}, {end_text}"
        return f"{self._day(first.date())}, {start_text} – {end_text}"

    def draw(self, fig: go.Figure) -> go.Figure:
        """Scale the axis to the whole window, gaps included, and write its marks."""
        margin = (self.ends[-1] - self.starts[0]) / 100  # a mark at the edge would be cut off
        fig.update_xaxes(
            type="date",
            range=[self.place(self.starts[0] - margin), self.place(self.ends[-1] + margin)],
            unifiedhovertitle={"text": "<span></span>"},  # the spans are the title
            tickformatstops=[
                {"dtickrange": list(between), "value": written}
                for between, written in zip(_TICK_RANGES, _TICK_FORMATS[self._.language], strict=True)
            ],
        )
        if self._clock_changes:
            ticks = self._ticks()
            fig.update_xaxes(tickvals=[self.place(tick) for tick, _ in ticks], ticktext=[text for _, text in ticks])
        return fig.update_layout(hovermode="x unified")

    def _ticks(self) -> list[tuple[datetime, str]]:
        """Return moments for marks, at most `MAX_TICKS`, and their texts."""
        for step in _HOUR_STEPS:
            hours = list(self._hours(step))
            if len(hours) <= MAX_TICKS:
                befores = [None, *hours[:-1]]
                return [(hour, self._hour_text(hour, before)) for before, hour in zip(befores, hours, strict=True)]
        for step in _DAY_STEPS:
            days = [day for day in self._days() if day.toordinal() % step == 0]
            if len(days) <= MAX_TICKS:
                return [(self._midnight(day), format_skeleton("MMMd", day, locale=self._.locale)) for day in days]
        months = [day for day in self._days() if day.day == 1]
        shown = next(
            (
                found
                for step in _MONTH_STEPS
                if len(found := [day for day in months if (day.month - 1) % step == 0]) <= MAX_TICKS
            ),
            months[:: -(-len(months) // MAX_TICKS)],
        )
        return [(self._midnight(day), format_skeleton("yMMM", day, locale=self._.locale)) for day in shown]

    def _hours(self, step: int) -> Iterator[datetime]:
        """Yield the full hours whose number on the clock is a multiple of `step`, until they are too many."""
        hour = self.starts[0].replace(minute=0, second=0, microsecond=0)
        found = 0
        while hour <= self.ends[-1] and found <= MAX_TICKS:
            if hour >= self.starts[0] and hour.astimezone(self._zone).hour % step == 0:
                found += 1
                yield hour
            hour += timedelta(hours=1)

    def _hour_text(self, hour: datetime, before: datetime | None) -> str:
        here = hour.astimezone(self._zone)
        text = f"{self._time(here)} {here.tzname()}"
        is_new_day = before is None or before.astimezone(self._zone).date() != here.date()
        return f"{text}<br>{format_skeleton('MMMd', here, locale=self._.locale)}" if is_new_day else text

    def _days(self) -> Iterator[date]:
        """Yield the days that begin in the window."""
        day = self.starts[0].astimezone(self._zone).date()
        while (midnight := self._midnight(day)) <= self.ends[-1]:
            if midnight >= self.starts[0]:
                yield day
            day += timedelta(days=1)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time.min, self._zone).astimezone(UTC)

    def _offset_at(self, moment: datetime) -> timedelta:
        return moment.astimezone(self._zone).utcoffset() or timedelta()

    def _day(self, day: date) -> str:
        return format_date(day, format="medium", locale=self._.locale)

    def _time(self, moment: datetime) -> str:
        return format_time(moment.replace(tzinfo=None), format="short", locale=self._.locale)
