"""Sample pictures for visitors without a photo: rights-free, or drawn for catsdogs (see README.md).

Classifying one records nothing, since it is nobody's photo.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from catsdogs.errors import NotFound
from catsdogs.i18n import N_

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample picture."""

    name: str
    title: str
    credit: str
    is_drawn: bool = False
    """Whether it is a drawing, which the model takes for neither."""

    @property
    def jpeg(self) -> bytes:
        """The picture as a JPEG file."""
        return (FOLDER / f"{self.name}.jpg").read_bytes()


SAMPLES = (
    Sample("chelsea", N_("Chelsea, a cat"), N_("photo by Stéfan van der Walt, CC0")),
    Sample("shepherd", N_("A German shepherd"), N_("photo by Hans Kemperman, public domain")),
    Sample(
        "both",
        N_("A cat and a dog"),
        N_("put together from two photos, by Loliloli and Hans Kemperman, public domain"),
    ),
    Sample("drawing", N_("A drawing of a dog"), N_("drawn for catsdogs"), is_drawn=True),
)


def find(name: str) -> Sample:
    """Return the sample picture of that name; only these are classified without a record.

    Raises
    ------
    NotFound
    """
    for sample in SAMPLES:
        if sample.name == name:
            return sample
    raise NotFound("There is no such sample picture. Choose one of those that are shown.")
