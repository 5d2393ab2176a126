"""The alert rules, read from one file: the packaged ``rules.toml``, or the one that CATSDOGS_ALERT_RULES names."""

from __future__ import annotations

import logging
import re
import tomllib
from datetime import timedelta
from importlib import resources
from pathlib import Path
from statistics import NormalDist
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from catsdogs.alerting.alert import Measure, Severity
from catsdogs.errors import SettingsError
from catsdogs.monitoring.drift_limits import STRONG_PSI

PACKAGED_RULES = resources.files("catsdogs.alerting") / "rules.toml"

_DURATION = re.compile(r"P(?=.)(\d{1,3}W)?(\d{1,3}D)?(T(?=.)(\d{1,4}H)?(\d{1,5}M)?(\d{1,6}S)?)?")
"""Months and years have no fixed length, so they are none."""
_OLD_FIELDS = "last", "within", "for", "clear"

_log = logging.getLogger(__name__)
_last_valid: dict[Path, list[Rule]] = {}
"""Rules of each file when this process last found it valid."""
_logged_errors: dict[Path, str] = {}
"""Error in each file that is invalid now; it is in the log already."""


class Rule(BaseModel):
    """One alert rule; the packaged file explains each field."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str
    measure: Measure = Field(strict=False)
    severity: Severity = Field(Severity.WARNING, strict=False)
    below: float | None = Field(None, gt=0, allow_inf_nan=False)
    above: float | None = Field(None, gt=0, allow_inf_nan=False)
    fast: timedelta = Field(strict=False, gt=timedelta())
    slow: timedelta = Field(strict=False, le=timedelta(days=31))
    at_least: int = Field(10, ge=2)
    sure: float = Field(0.99, ge=0.75, lt=1)
    over: float = Field(0.75, ge=0.5, lt=1)
    over_at_least: int = Field(0, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _explain_old_fields(cls, values: object) -> object:
        if isinstance(values, dict) and (old := [name for name in _OLD_FIELDS if name in values]):
            raise ValueError(
                f"{old[0]} is a field of earlier versions: rename within to slow, add a shorter time window fast, and "
                "remove last, for and clear, as in the packaged rules.toml"
            )
        return values

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if not re.fullmatch(r"[a-z0-9_]{1,64}", name):
            raise ValueError("a name has at most 64 small letters, digits and underscores")
        return name

    @field_validator("fast", "slow", mode="before")
    @classmethod
    def _check_duration(cls, value: object) -> object:
        if not isinstance(value, str) or not _DURATION.fullmatch(value):
            raise ValueError(
                'a duration in ISO 8601 of weeks, days, hours, minutes and seconds is needed, such as "PT30M" or "P7D"'
            )
        return value

    @model_validator(mode="after")
    def _check_combination(self) -> Self:
        limits = (self.below is not None) + (self.above is not None)
        if limits > 1 or (limits == 0 and not self.measure.is_drift):
            raise ValueError("give either below or above")
        if limits and (self.below is None) == self.measure.is_bad_below:
            given, right = ("above", "below") if self.measure.is_bad_below else ("below", "above")
            raise ValueError(f"{self.measure} is bad where it is {right} a limit: give {right}, not {given}")
        if self.measure.is_share and self.limit >= 1:
            raise ValueError("the limit of a share must be less than 1: 0.7 means 70 %")
        if self.fast >= self.slow:
            raise ValueError("the window fast must be shorter than slow")
        return self

    @property
    def limit(self) -> float:
        """Limit beyond which the rule is broken."""
        if self.below is not None:
            return self.below
        return STRONG_PSI if self.above is None else self.above

    @property
    def sure_z(self) -> float:
        """Quantile of the standard normal distribution that belongs to `sure`."""
        return NormalDist().inv_cdf(self.sure)

    @property
    def over_z(self) -> float:
        """Quantile of the standard normal distribution that belongs to `over`."""
        return NormalDist().inv_cdf(self.over)

    def is_beyond(self, value: float) -> bool:
        """Return whether a value is beyond the limit."""
        return value < self.limit if self.below is not None else value > self.limit


class _RulesFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rule: list[Rule] = Field(min_length=1)

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        names = [rule.name for rule in self.rule]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two rules are named {min(twice)}")
        return self


def load_rules(path: Path | None = None) -> list[Rule]:
    """Read the rules of `path`, by default the packaged ones.

    If the file is invalid now and this process has read it when it was valid, the last valid rules stay in force and
    a warning is logged.

    Raises
    ------
    SettingsError
        The file is invalid; the message names the file, the rule, the field and the problem.
    """
    if path is None:
        return _read(None)
    try:
        _last_valid[path] = _read(path)
    except SettingsError as error:
        if path not in _last_valid:
            raise
        if _logged_errors.get(path) != str(error):
            _logged_errors[path] = str(error)
            _log.warning("%s Until the file is corrected, its last valid rules stay in force.", error)
    else:
        _logged_errors.pop(path, None)
    return _last_valid[path]


def is_invalid(path: Path | None) -> bool:
    """Return whether a rules file is invalid now, so that its last valid rules are in force.

    Raises
    ------
    SettingsError
        The file was never valid in this process.
    """
    load_rules(path)
    return path in _logged_errors


def _read(path: Path | None) -> list[Rule]:
    source = path or PACKAGED_RULES
    try:
        content = tomllib.loads(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            "The alert rules {file} cannot be read: {reason}.", file=path, reason=error.strerror
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError("The alert rules {file} are not TOML: {reason}.", file=path, reason=error) from error
    try:
        return _RulesFile.model_validate(content).rule
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise SettingsError(
            "The alert rules {file} are wrong at {place}: {problem}.",
            file=path,
            place=_describe_location(first["loc"], content) or "the top",
            problem=first["msg"].removeprefix("Value error, "),
        ) from None


def _describe_location(location: tuple[int | str, ...], content: dict[str, object]) -> str:
    """Return the path to a field, with the rule's name in place of its index."""
    rules = content.get("rule")
    steps = []
    for step in location:
        if isinstance(step, int) and isinstance(rules, list) and isinstance(rules[step], dict):
            steps.append(str(rules[step].get("name", step + 1)))
        else:
            steps.append(str(step))
    return " / ".join(steps)
