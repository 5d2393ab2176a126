"""The rules of the alerts, from one file: the packaged ``rules.toml``, or the one that a setting names."""

from __future__ import annotations

import logging
import tomllib
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from catsdogs.errors import SettingsError
from catsdogs.monitoring.figures import Measure

PACKAGED = resources.files("catsdogs.alerting") / "rules.toml"

_log = logging.getLogger(__name__)
_good: dict[Path, list[Rule]] = {}
"""What each file said when this process could last read it."""
_warned: dict[Path, str] = {}
"""What is wrong with each file, as the log says already."""


class Rule(BaseModel):
    """One rule; the packaged file explains each field."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str = Field(pattern=r"^[a-z0-9_]{1,64}$")
    measure: Measure = Field(strict=False)
    below: float | None = Field(None, gt=0)
    above: float | None = Field(None, gt=0)
    last: int | None = Field(None, ge=1, le=100_000)
    within: timedelta | None = Field(None, strict=False, gt=timedelta(), le=timedelta(days=400))
    at_least: int = Field(1, ge=1)
    hold: timedelta = Field(timedelta(), alias="for", strict=False, ge=timedelta())
    clear: timedelta = Field(timedelta(minutes=15), strict=False, ge=timedelta())

    @field_validator("within", "hold", "clear", mode="before")
    @classmethod
    def _iso(cls, value: object) -> object:
        if not isinstance(value, str) or not value.startswith("P"):
            raise ValueError('a duration in ISO 8601 is needed, such as "PT30M" or "P7D"')
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.below is None) == (self.above is None):
            raise ValueError("give either below or above")
        if self.last is None and self.within is None:
            raise ValueError("give last or within, or both")
        if self.last is not None and self.last < self.at_least:
            raise ValueError("at_least must not be more than last")
        return self

    @property
    def limit(self) -> float:
        """Beyond it the rule is broken."""
        return self.below if self.below is not None else self.above or 0.0

    def broken_by(self, value: float) -> bool:
        """Whether a measured value is beyond the limit."""
        return value < self.limit if self.below is not None else value > self.limit


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rule: list[Rule] = Field(min_length=1)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [rule.name for rule in self.rule]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two rules are named {min(twice)}")
        return self


def load_rules(path: Path | None = None) -> list[Rule]:
    """Read the rules of `path`, by default the packaged ones.

    While a file is broken that this process could read before, its last good rules hold, with a warning in the log.

    Raises
    ------
    SettingsError
        Naming the file, the rule, the field, and what is wrong.
    """
    if path is None:
        return _read(None)
    try:
        _good[path] = _read(path)
    except SettingsError as error:
        if path not in _good:
            raise
        if _warned.get(path) != str(error):
            _warned[path] = str(error)
            _log.warning("%s Until that is mended, the rules of before hold.", error)
    else:
        _warned.pop(path, None)
    return _good[path]


def has_mistake(path: Path | None) -> bool:
    """Whether a file that this process could read before has a mistake now."""
    load_rules(path)
    return path in _warned


def _read(path: Path | None) -> list[Rule]:
    source = path or PACKAGED
    try:
        content = tomllib.loads(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            "The alert rules {file} cannot be read: {reason}.", file=path, reason=error.strerror
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError("The alert rules {file} are not TOML: {reason}.", file=path, reason=error) from error
    try:
        return _File.model_validate(content).rule
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise SettingsError(
            "The alert rules {file} are wrong at {place}: {problem}.",
            file=path,
            place=_place(first["loc"], content) or "the top",
            problem=first["msg"].removeprefix("Value error, "),
        ) from None


def _place(location: tuple[int | str, ...], content: dict[str, object]) -> str:
    """Name the rule, which a person finds sooner than its number."""
    rules = content.get("rule")
    steps = []
    for step in location:
        if isinstance(step, int) and isinstance(rules, list) and isinstance(rules[step], dict):
            steps.append(str(rules[step].get("name", step + 1)))
        else:
            steps.append(str(step))
    return " / ".join(steps)
