"""What the commands say of photos that a version was trained on, which are left out of every measurement."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from catsdogs.domain import Answer

if TYPE_CHECKING:
    from catsdogs.model.classifier import Classifier


def unseen_photos(labels: Mapping[Path, Answer], *versions: Classifier, once: bool = False) -> dict[Path, Answer]:
    """Leave out the photos that one of these versions was trained on, and say how many on standard error.

    With `once`, copies of one another are left out, too.

    Raises
    ------
    InvalidInput
        None is left.
    """
    from catsdogs.model.seen_photos import require_unseen

    for version in versions:
        if version.seen is None:
            typer.echo(f"catsdogs: {version.version} does not say what photos it was trained on.", err=True)
    left = require_unseen(labels, {version.version: version.seen for version in versions}, once=once)
    if len(left) < len(labels):
        n = len(labels) - len(left)
        names = " or ".join(version.version for version in versions if version.seen)
        reasons = [f"{names} was trained on them or on copies of them"] * bool(names)
        reasons += ["they are copies of others"] * once
        typer.echo(f"catsdogs: photos left out, as {', or as '.join(reasons)}: {n}", err=True)
    return left
