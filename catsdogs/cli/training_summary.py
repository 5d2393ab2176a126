"""What ``catsdogs train`` says at its end: photos used and left out, results, balance, and the next command."""

from __future__ import annotations

import csv
import re
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from catsdogs.i18n import Translator, counted
from catsdogs.model.card import ModelCard
from catsdogs.model.evaluation import EvaluationMetrics

RARE = 0.2
"""Share of the photos below which an animal is rare: the model errs more on it."""
_ENGLISH = Translator("en")


def summarize(
    card: ModelCard, left_out: Path, cache: Path, served_from: Path, validation: Mapping[str, Path]
) -> Iterator[str]:
    """Yield the lines.

    Parameters
    ----------
    card
        Of the new version.
    left_out
        Table of the photos that were left out.
    cache
        Folder of the feature cache.
    served_from
        Folder of the versions that can be promoted.
    validation
        Folders of labelled photos that it was evaluated on, by name of the set.
    """
    photos: Any = card.training["photos"]
    unseen: Any = card.training["cross_validation"]
    yield f"trained on {counted(photos['cat'], 'photo')} of cats and {photos['dog']:,} of dogs"
    reasons = left_out_by_reason(left_out)
    if reasons:
        kinds = ", ".join(f"{n:,} {reason}" for reason, n in reasons.most_common())
        yield f"left out: {kinds}; see {left_out}"
    yield from _warn_of_balance(photos)
    n = photos["cat"] + photos["dog"]
    errors = f"{counted(unseen['errors'], 'error')} in {n:,}"
    yield f"in cross-validation, each by a model that had not seen it: {errors}, {_refused(card)}"
    if accepted := card.held_out_accepted:
        yield f"in cross-validation, other things taken for pets: {accepted.cases:,} of {accepted.n:,}"
    for name, measured in card.metrics.items():
        yield f"on {name}: {counted(measured.errors, 'error')} in {measured.n:,}{_refused_pets(measured)}"
    for name, seen in card.seen.items():
        yield f"on {name}: {seen:,} left out, as it was trained on them or on copies of them"
    size = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())
    yield f"feature cache: {size / 1e6:,.0f} MB in {cache}, which may be deleted"
    yield f"next: {_next_command(card, left_out.parent, served_from, validation)}"


def _next_command(card: ModelCard, folder: Path, served_from: Path, validation: Mapping[str, Path]) -> str:
    """Return the command that promotes the version, compared on a set of both animals if it was evaluated on one."""
    kept = [path for name, path in validation.items() if name in card.metrics and card.metrics[name].auroc is not None]
    promote = shlex.join(["catsdogs", "model", "promote", card.version, "--on", str(kept[0]) if kept else "FOLDER"])
    if folder.parent.resolve() != served_from.resolve():
        moves = ["mkdir", "-p", str(served_from)], ["mv", str(folder), str(served_from)]
        promote = " && ".join([*map(shlex.join, moves), promote])
    return promote if kept else f"{promote}  # FOLDER of labelled photos that were kept aside"


def left_out_by_reason(table: Path) -> Counter[str]:
    """Count the photos of the table for each kind of reason; single file names and sizes are left out."""
    with table.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    counts: Counter[str] = Counter()
    for row in rows:
        several = re.fullmatch(r"(\d+) from feedback", row["file"])
        counts[_kind(row["reason"])] += int(several[1]) if several else 1
    return counts


def _kind(reason: str) -> str:
    if reason.startswith("too small"):
        return "too small"
    if reason.startswith("the same as"):
        return "with both labels" if reason.endswith("wrong") else "the same as another"
    return reason if reason in ("left out in review", "not reviewed yet") else "that cannot be read"


def _warn_of_balance(photos: dict[str, int]) -> Iterator[str]:
    rare = min(photos, key=lambda animal: photos[animal])
    share = photos[rare] / sum(photos.values())
    if share < RARE:
        part = _ENGLISH.percent(share)
        yield f"only {part} of the photos show a {rare}: the model errs more on them. Add photos of {rare}s."


def _refused(card: ModelCard) -> str:
    found = card.held_out_refusals
    return _share_refused(found.cases, found.n, found.interval) if found else ""


def _refused_pets(measured: EvaluationMetrics) -> str:
    interval = measured.refused_interval
    return ", " + _share_refused(measured.refused, measured.pets, interval) if interval else ""


def _share_refused(refused: int, n: int, interval: tuple[float, float]) -> str:
    share, low, high = (_ENGLISH.percent(value) for value in (refused / n, *interval))
    return f"{counted(refused, 'pet')} refused ({share}; 95 % interval {low} to {high})"
