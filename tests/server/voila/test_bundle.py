"""Voilà's front end as our pages get it."""

from __future__ import annotations

from catsdogs.server.voila import bundle


def test_a_slow_browser_has_time_to_read_the_models() -> None:
    """A page stands and falls with this: a browser that is four times slower showed nothing."""
    impatient, patient = bundle.PATIENCE
    found = b"".join(path.read_bytes() for path in bundle.chunks()).count(impatient)
    assert found == 1, "Jupyter's widget manager has changed: see how long it looks for a model now"
    assert (bundle.bundle().count(impatient), bundle.bundle().count(patient)) == (0, 1)
