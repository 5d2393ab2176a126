"""The charts of a model's health: short texts in narrow charts, and figures beyond the axis."""

from __future__ import annotations

from typing import Any

import pytest

from catsdogs.i18n import Translator
from catsdogs.monitoring import health_charts, health_texts
from catsdogs.monitoring.chart_style import for_page
from catsdogs.monitoring.figures import Drift, DriftLevel

EN = Translator("en")


def drift(signal: str, psi: float, reading: DriftLevel) -> Drift:
    return Drift(signal=signal, psi=psi, p_value=0.5, n=1000, reading=reading, edges=[], expected=[], found=[])


DRIFTS = [
    drift("confidence", 0.02, DriftLevel.NONE),
    drift("neither", 0.21, DriftLevel.MODERATE),
    drift("size", 0.99, DriftLevel.STRONG),
    drift("brightness", 1.55, DriftLevel.STRONG),
    drift("sharpness", 2.36, DriftLevel.STRONG),
]


def drawn(drifts: list[Drift], language: str = "en") -> dict[str, Any]:
    health: Any = {"drift": drifts, "model_version": "1.2", "estimated_from": 1000, "estimated_of": 1000}
    return for_page(health_charts.drift(health, Translator(language)))


def test_a_bar_that_is_longer_than_the_axis_is_marked_and_says_its_figure() -> None:
    figure = drawn(DRIFTS)
    [bars] = figure["data"]
    assert list(bars["text"]) == ["", "", "", "→", "→"]
    assert [label.split("<br>")[-1] for label in bars["y"]] == [
        "<b>0.02 · none</b>",
        "<b>0.21 · moderate</b>",
        "<b>0.99 · strong</b>",
        "<b>1.55 · strong</b>",
        "<b>2.36 · strong</b>",
    ]
    assert figure["layout"]["annotations"][0]["text"].endswith("<br>→ longer than drawn")
    assert drawn(DRIFTS, "fr")["layout"]["xaxis"]["ticktext"][1:3] == ["0,10", "0,25"], "the limits are on the axis"
    assert "→" not in drawn(DRIFTS[:3])["layout"]["annotations"][0]["text"]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_text_lines_fit_on_a_phone(language: str) -> None:
    figure = drawn(DRIFTS, language)
    labels = [line for label in figure["data"][0]["y"] for line in label.split("<br>")]
    assert max(map(len, labels)) <= len("<b>0.21 · moderate</b>")
    assert max(map(len, figure["layout"]["annotations"][0]["text"].split("<br>"))) <= 40
    axis = figure["layout"]["xaxis"]
    assert (axis["ticktext"][0], axis["tickangle"]) == ("0", 0), "turned, the figures would lie on the text below"
    assert figure["layout"]["margin"]["b"] >= 16 * (1 + figure["layout"]["annotations"][0]["text"].count("<br>"))


def test_the_title_names_the_version_and_few_photos_have_no_bar() -> None:
    figure = drawn([*DRIFTS, drift("answers", 3.2, DriftLevel.TOO_FEW)])
    assert figure["title"] == "Drift of model 1.2"
    [bars] = figure["data"]
    assert (bars["x"][-1], bars["y"][-1]) == (0, "cats and dogs<br><b>too few photos</b>")


def test_the_drift_level_is_written_with_the_signal() -> None:
    assert health_texts.drift_columns(EN)[:3] == ["Signal", "Drift", "Stability index (PSI)"]
    assert health_texts.drift_cells(DRIFTS[4], EN)[:3] == ["sharpness", "strong", "2.36"]
    assert len(health_texts.drift_columns(EN)) == len(health_texts.drift_cells(DRIFTS[4], EN))
