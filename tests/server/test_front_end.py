"""Voilà's front end as our pages get it."""

from __future__ import annotations

from catsdogs.server import front_end


def test_a_slow_browser_has_time_to_read_the_models() -> None:
    """A page stands and falls with this: a browser that is four times slower showed nothing."""
    impatient, patient = front_end.PATIENCE
    found = b"".join(path.read_bytes() for path in front_end.chunks()).count(impatient)
    assert found == 1, "Jupyter's widget manager has changed: see how long it looks for a model now"
    assert (front_end.bundle().count(impatient), front_end.bundle().count(patient)) == (0, 1)
