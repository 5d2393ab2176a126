"""The table of predictions on the dashboard, on a real database."""

from __future__ import annotations

from catsdogs.widgets.predictions_table import SHOWN
from tests.widgets.helpers import NAME, NOT_UNDERSTOOD, OpenApp, Predict, Send


def test_the_table_holds_the_last_predictions(busy: None, predict: Predict, open_app: OpenApp) -> None:
    app = open_app()
    assert [row["answer"] for row in app.predictions_table.rows] == ["cat", "dog", "neither", "error"]
    cells = [dict(zip(app.predictions_table.columns, row["cells"], strict=True)) for row in app.predictions_table.rows]
    assert (cells[0]["File"], cells[0]["Comment"], cells[0]["Right?"]) == (NAME, "<b>mine</b>", "Yes")
    assert (cells[1]["File"], cells[1]["Comment"], cells[1]["Right?"]) == ("", "", "No")
    assert (cells[2]["Answer"], cells[2]["Confidence"], cells[2]["Time"]) == ("Neither", "70.0%", "1,234.5 ms")
    assert (cells[3]["Confidence"], cells[3]["Time"], cells[3]["Model"]) == ("", "", "test-1")
    for _ in range(SHOWN):
        predict()
    app.refresh()
    assert len(app.predictions_table.rows) == SHOWN


def test_the_least_sure_and_the_disputed_are_listed(busy: None, open_app: OpenApp, send: Send) -> None:
    app = open_app()
    assert send(app.predictions_table, {"action": "list", "value": "least_sure"}) == ""
    assert [row["answer"] for row in app.predictions_table.rows] == ["neither", "dog", "cat"]
    assert send(app.predictions_table, {"action": "list", "value": "disputed"}) == ""
    assert [row["answer"] for row in app.predictions_table.rows] == ["dog"]
    assert send(app.predictions_table, {"action": "list", "value": "the best"}) == NOT_UNDERSTOOD
    assert app.predictions_table.listing == "disputed"
