"""The monitoring app: real server, real database, real Chromium."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from babel.dates import get_month_names
from PIL import Image
from playwright.sync_api import Browser, Dialog, Page, expect

from catsdogs.domain import Answer, Consent
from catsdogs.errors import InvalidImage
from catsdogs.model.card import SHIPPED
from catsdogs.records.feedback import FeedbackRecord
from catsdogs.records.predictions import PredictionRecord
from tests.browser.app import violations
from tests.serving import Launch, RunningServer
from tests.storage import Storage

pytestmark = pytest.mark.browser

READY = 30_000
"""A page starts a kernel: milliseconds until it must be usable on a busy machine."""
NAME = "<img src=x onerror=alert(1)>.jpg"
COMMENT = "<b onmouseover=alert(1)>bold</b> <script>alert(1)</script> $x$"

Predict = Callable[..., PredictionRecord]


@pytest.fixture(scope="module")
def own(launch: Launch) -> RunningServer:
    """A server of this module: predictions of other modules would change the figures."""
    # the fifth dashboard within a minute would be refused, although the pages before it are closed
    return launch(SESSION_LIMITS=json.dumps({"away_timeout": 3}))


@pytest.fixture(scope="module")
def storage(own: RunningServer) -> Iterator[Storage]:
    opened = Storage.open(own.settings)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def predict(storage: Storage, make_record: Any) -> Predict:
    """Record a prediction of some age, with its feedback."""

    def predict(
        age: timedelta = timedelta(), rating: int | None = None, comment: str | None = None, **values: Any
    ) -> PredictionRecord:
        record: PredictionRecord = make_record(Consent(filename_and_comment=comment is not None), NAME)[0]
        record = record.model_copy(update={"timestamp": datetime.now(UTC) - age, **values})
        assert storage.writer.store_prediction(record)
        if rating is not None:
            storage.writer.store_feedback(FeedbackRecord.create(record.id, rating, comment, None))
        return record

    return predict


@pytest.fixture(scope="module")
def weeks(predict: Predict, storage: Storage) -> None:
    """Store weeks of predictions: 20 cats, 10 dogs, 3 neither, 2 unreadable; 12 of 16 satisfied; one comment."""
    for number in range(20):
        predict(timedelta(days=number + 2), rating=1 if number < 12 else None, inference_time_ms=2.0 + number)
    for number in range(10):
        dog = {"prediction_result": Answer.DOG, "proba_cat": 0.25, "proba_dog": 0.75}
        predict(timedelta(days=2 * number + 2), rating=0 if number < 3 else None, **dog)
    for number in range(3):
        predict(timedelta(days=number + 3), prediction_result=Answer.NEITHER, neither_score=0.75)
    for number in range(2):
        failure = PredictionRecord.of_failure(InvalidImage("no"), "test-1")
        storage.writer.store_prediction(
            failure.model_copy(update={"timestamp": datetime.now(UTC) - timedelta(days=number + 1)})
        )
    predict(timedelta(minutes=20), rating=0, comment=COMMENT, proba_cat=0.625, proba_dog=0.375)


def sign_in(page: Page, server: RunningServer, query: str = "") -> None:
    page.goto(f"{server.url}/monitoring{query}")
    page.get_by_label("Password").or_(page.locator("#password")).first.fill(server.operator_password)
    page.locator("form button").click()
    opened(page)


def opened(page: Page) -> None:
    expect(page.locator(".cd-plot .main-svg").first).to_be_visible(timeout=READY)
    expect(page.locator(".cd-controls")).not_to_have_attribute("aria-busy", "true", timeout=READY)


@pytest.fixture(scope="module")
def problems() -> list[str]:
    """Messages of dialogs and errors of scripts on `shared_page`."""
    return []


@pytest.fixture(scope="module")
def shared_page(browser: Browser, own: RunningServer, weeks: None, problems: list[str]) -> Iterator[Page]:
    """A signed-in page for the tests that leave it usable; it is paused, so that tests refresh it themselves."""

    def dismiss(dialog: Dialog) -> None:
        problems.append(dialog.message)
        dialog.dismiss()

    with browser.new_context(locale="en-GB", timezone_id="UTC", viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        page.on("dialog", dismiss)
        page.on("pageerror", lambda error: problems.append(str(error)))
        sign_in(page, own)
        page.get_by_role("button", name="Live").click()
        yield page


def press(page: Page, control: str) -> None:
    """Press a button of the controls, and wait until the page is up to date."""
    page.get_by_role("button", name=control, exact=True).click()
    expect(page.locator(".cd-controls")).not_to_have_attribute("aria-busy", "true", timeout=READY)


def tile(page: Page, name: str) -> str:
    """Return the figure of a tile."""
    return page.locator(f".cd-tile[data-name={name}] .cd-headline").inner_text().replace("\N{NO-BREAK SPACE}", " ")


def traces(page: Page, name: str) -> dict[str, Any]:
    """Return the traces of a chart by name, as plotly.js has them."""
    drawn = page.locator(f".cd-chart[data-name={name}] .cd-plot").evaluate("plot => plot.data")
    return {trace.get("name", ""): trace for trace in drawn}


def test_it_requires_the_operators_sign_in(page: Page, own: RunningServer) -> None:
    page.goto(f"{own.url}/monitoring")
    expect(page).to_have_url(f"{own.url}/login")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("This is not the password.")
    page.goto(f"{own.url}/monitoring")
    expect(page.locator(".cd-tile")).to_have_count(0)


def test_the_figures_are_those_of_the_database(shared_page: Page, own: RunningServer) -> None:
    press(shared_page, "All")
    [held] = own.query(
        "SELECT count(*) AS total, count(*) FILTER (WHERE NOT success) AS failed, count(*) FILTER (WHERE rgpd_consent)"
        " AS agreed, avg(inference_time_ms) AS mean, min(inference_time_ms) AS least, max(inference_time_ms) AS most,"
        " count(*) FILTER (WHERE user_feedback = 1) AS good, count(user_feedback) AS rated,"
        " count(*) FILTER (WHERE prediction_result = 'cat') AS cat,"
        " count(*) FILTER (WHERE prediction_result = 'dog') AS dog FROM predictions_feedback"
    )
    assert held["total"] == 36
    assert tile(shared_page, "total") == str(held["total"])
    assert tile(shared_page, "latency") == f"{held['mean']:.1f} ms"
    detail = shared_page.locator(".cd-tile[data-name=latency]").inner_text().replace("\N{NO-BREAK SPACE}", " ")
    assert f"min {held['least']:.1f} ms · max {held['most']:.1f} ms" in detail
    assert tile(shared_page, "satisfaction") == f"{held['good'] / held['rated']:.1%}"
    assert tile(shared_page, "errors") == f"{held['failed'] / held['total']:.1%}"
    assert tile(shared_page, "consent") == f"{held['agreed'] / held['total']:.1%}"
    bars = traces(shared_page, "answers")
    assert (sum(bars["Cat"]["y"]), sum(bars["Dog"]["y"]), sum(bars["Error"]["y"])) == (held["cat"], held["dog"], 2)
    [split] = shared_page.locator("[data-name=satisfaction_split] .cd-plot").evaluate("plot => plot.data")
    assert split["values"] == [held["good"], held["rated"] - held["good"]]
    points = traces(shared_page, "feedback")
    assert (len(points["Satisfied"]["x"]), len(points["Unsatisfied"]["x"])) == (12, 4)
    assert [mean for mean in traces(shared_page, "inference_time")["Mean"]["y"] if mean is not None]
    newest = shared_page.locator(".cd-predictions tbody tr").first.locator("td").all_inner_texts()
    assert newest[1:7] == ["Cat", "61.2%", "3.5 ms", "No", COMMENT, NAME]


def test_a_window_and_a_model_are_chosen(shared_page: Page, predict: Predict) -> None:
    predict(timedelta(minutes=30), model_version="test-2")
    press(shared_page, "1 hour")
    assert tile(shared_page, "total") == "2"
    shared_page.locator(".cd-controls").get_by_label("Model").select_option("test-2")
    expect(shared_page.locator(".cd-tile[data-name=total] .cd-headline")).to_have_text("1", timeout=READY)
    shared_page.locator(".cd-controls").get_by_label("Model").select_option("All models")
    expect(shared_page.locator(".cd-tile[data-name=total] .cd-headline")).to_have_text("2", timeout=READY)


def test_the_filter_is_in_the_address_and_can_be_shared(
    shared_page: Page, browser: Browser, own: RunningServer, predict: Predict
) -> None:
    predict(timedelta(hours=2), rating=0, model_version="test-3")
    shared_page.evaluate("window.notReloaded = true")
    paused = f"{own.url}/monitoring?live=off"
    press(shared_page, "24 hours")
    shared_page.locator(".cd-controls").get_by_label("Answer").select_option("Cat")
    shared_page.locator(".cd-controls").get_by_label("Model").select_option("test-3")
    press(shared_page, "Reported as wrong")
    total = shared_page.locator(".cd-tile[data-name=total] .cd-headline")
    expect(total).to_have_text("1", timeout=READY)
    expect(shared_page).to_have_url(f"{paused}&window=24h&model=test-3&answer=cat&list=disputed")
    assert shared_page.evaluate("window.notReloaded")

    with browser.new_context(locale="en-GB", timezone_id="Asia/Tokyo") as context:
        other = context.new_page()
        sign_in(other, own, shared_page.url.removeprefix(f"{own.url}/monitoring"))
        expect(other).to_have_url(shared_page.url)
        expect(other.locator(".cd-tile[data-name=total] .cd-headline")).to_have_text("1", timeout=READY)
        expect(other.get_by_role("button", pressed=True)).to_have_text(["24 hours", "Reported as wrong"])  # paused, too
        expect(other.locator(".cd-predictions tbody tr")).to_have_count(1)
        press(other, "From … to …")
        other.locator(".cd-moments").get_by_label("From").fill("2026-03-01T09:00")
        other.locator(".cd-moments").get_by_label("To").fill("2026-03-02T09:00")
        press(other, "Show")
        expect(other).to_have_url(re.compile(r"[?&]from=2026-03-01T00%3A00Z&to=2026-03-02T00%3A00Z"))
        expect(other.locator(".cd-tile[data-name=total] .cd-headline")).to_have_text("0")

    for label in ("Answer", "Model"):
        shared_page.locator(".cd-controls").get_by_label(label).select_option("")
    press(shared_page, "Latest")
    expect(shared_page).to_have_url(f"{paused}&window=24h")
    press(shared_page, "1 hour")
    press(shared_page, "All")
    for window, name in (("1h", "1 hour"), ("24h", "24 hours")):
        shared_page.go_back()
        expect(shared_page).to_have_url(f"{paused}&window={window}")
        expect(shared_page.locator(".cd-windows").get_by_role("button", pressed=True)).to_have_text(name)
    shared_page.go_forward()
    expect(shared_page.locator(".cd-windows").get_by_role("button", pressed=True)).to_have_text("1 hour")
    assert shared_page.evaluate("window.notReloaded")


def test_going_back_and_forward_faster_than_figures_are_read_works(shared_page: Page) -> None:
    chosen = shared_page.locator(".cd-windows").get_by_role("button", pressed=True)
    for window in ("24 hours", "1 hour", "All"):
        press(shared_page, window)
    for direction, window, name in (("back", "24h", "24 hours"), ("forward", "all", "All")):
        shared_page.evaluate(
            """async direction => {
                for (let step = 0; step < 2; step++) {
                    const arrived = new Promise(resolve => {
                        addEventListener("popstate", resolve, { once: true });
                        setTimeout(resolve, 5000); // there was nothing to go to
                    });
                    history[direction]();
                    await arrived;
                }
            }""",
            direction,
        )
        expect(chosen).to_have_text(name)
        expect(shared_page.locator(".cd-controls")).not_to_have_attribute("aria-busy", "true", timeout=READY)
        expect(shared_page).to_have_url(re.compile(rf"[?&]window={window}$"))


def test_a_custom_window_keeps_seconds_and_an_error_stays_until_something_changes(
    browser: Browser, own: RunningServer, weeks: None
) -> None:
    with browser.new_context(locale="en-GB", timezone_id="Asia/Tokyo") as context:
        page = context.new_page()
        sign_in(page, own, "?from=2026-03-01T00:00:10Z&to=2026-03-01T00:00:50Z&live=off")
        start, end = (page.locator(".cd-moments").get_by_label(label) for label in ("From", "To"))
        refusal = page.locator(".cd-refusal")
        expect(page).to_have_url(re.compile("from=2026-03-01T00:00:10Z&to=2026-03-01T00:00:50Z"))
        assert [start.input_value(), end.input_value()] == ["2026-03-01T09:00:10", "2026-03-01T09:00:50"]

        end.fill("2026-02-02T09:00:30")
        press(page, "Show")
        expect(refusal).to_have_text("The start of the window must be before its end.")
        before = page.locator(".cd-updated").inner_text()
        page.get_by_role("button", name="Live").click()
        expect(page.locator(".cd-updated")).not_to_have_text(before)  # the page has polled again
        expect(refusal).to_have_text("The start of the window must be before its end.")
        page.get_by_role("button", name="Live").click()
        page.locator(".cd-controls").get_by_label("Answer").select_option("Cat")
        expect(page).to_have_url(re.compile("answer=cat"))
        expect(refusal).to_be_empty()
        assert end.input_value() == "2026-02-02T09:00:30"  # the typed text stays

        start.fill("0001-01-01T00:00:00")
        page.get_by_role("button", name="Show").click()
        assert start.evaluate("input => input.matches(':user-invalid') && input.validity.rangeUnderflow")
        start.fill("")
        end.fill("")
        press(page, "Show")
        expect(page).to_have_url(re.compile(r"[?&]window=all"))
        expect(page.locator(".cd-windows").get_by_role("button", pressed=True)).to_have_text("All")

        page.get_by_role("link", name="Français").click()
        expect(page.locator("html")).to_have_attribute("lang", "fr", timeout=READY)
        opened(page)
        expect(page.get_by_role("button", name="En direct")).to_have_attribute("aria-pressed", "false")
        expect(page.locator(".cd-windows").get_by_role("button", pressed=True)).to_have_text("Tout")


def test_a_wrong_address_is_named_and_the_default_is_shown(browser: Browser, own: RunningServer, weeks: None) -> None:
    with browser.new_context(locale="en-GB") as context:
        page = context.new_page()
        sign_in(page, own, "?window=9d&answer=cow&from=yesterday&lang=en")
        expect(page.locator(".cd-notice")).to_contain_text("not understood: window, from, answer")
        expect(page.get_by_role("button", pressed=True)).to_have_text(["7 days", "Live", "Latest"])
        expect(page).to_have_url(f"{own.url}/monitoring?lang=en")


def test_shown_figures_can_be_saved(shared_page: Page, predict: Predict) -> None:
    predict(timedelta(minutes=5), rating=0, comment="=1+1")
    press(shared_page, "All")

    def saved(name: str) -> bytes:
        with shared_page.expect_download() as download:
            shared_page.get_by_role("button", name=name, exact=True).click()
        return Path(download.value.path()).read_bytes()

    timeline = list(csv.DictReader(io.StringIO(saved("Save as CSV: Inference time").decode("utf-8-sig"))))
    assert sum(int(bucket["predictions"]) for bucket in timeline) == int(tile(shared_page, "total"))
    feedback = list(csv.DictReader(io.StringIO(saved("Save as CSV: Feedback").decode("utf-8-sig"))))
    assert {COMMENT, "'=1+1"} <= {point["user_comment"] for point in feedback}
    press(shared_page, "Reported as wrong")
    disputed = list(csv.DictReader(io.StringIO(saved("Save as CSV, at most 1,000 predictions").decode("utf-8-sig"))))
    assert len(disputed) == shared_page.locator(".cd-predictions tbody tr").count()
    assert {row["user_feedback"] for row in disputed} == {"0"}
    press(shared_page, "Latest")
    with Image.open(io.BytesIO(saved("Save as PNG: Predictions and answers"))) as picture:
        assert (picture.format, picture.size[0] >= 1000) == ("PNG", True)
        assert len(picture.convert("RGB").getcolors(2**24) or []) > 20  # the printed page has axes and bars


def test_new_predictions_update_the_charts_in_place(shared_page: Page, predict: Predict) -> None:
    press(shared_page, "24 hours")
    before = int(tile(shared_page, "total"))
    shared_page.locator("[data-name=answers] .cd-plot").evaluate(
        "plot => { plot.querySelector('.main-svg').id = 'same'; }"
    )
    record = predict(prediction_result=Answer.DOG, proba_cat=0.0625, proba_dog=0.9375)
    press(shared_page, "Refresh")
    assert tile(shared_page, "total") == str(before + 1)
    assert sum(traces(shared_page, "answers")["Dog"]["y"]) == 1
    newest = shared_page.locator(".cd-predictions tbody tr").first.locator("td").all_inner_texts()
    assert newest[1:3] == ["Dog", "91.9%"]
    assert f"{record.timestamp:%M:%S}" in newest[0]
    expect(shared_page.locator("[data-name=answers] #same")).to_be_visible()  # updated in place: nothing flickers


def test_a_live_page_refreshes_itself(shared_page: Page, predict: Predict) -> None:
    before = int(tile(shared_page, "total"))
    live = shared_page.get_by_role("button", name="Live", pressed=False)
    live.click()
    predict()
    expect(shared_page.locator(".cd-tile[data-name=total] .cd-headline")).to_have_text(str(before + 1), timeout=READY)
    shared_page.get_by_role("button", name="Live", pressed=True).click()
    expect(live).to_be_visible()


def test_what_a_visitor_wrote_is_shown_as_text(shared_page: Page, problems: list[str]) -> None:
    press(shared_page, "1 hour")
    expect(shared_page.locator(".cd-predictions").get_by_text(NAME, exact=True).first).to_be_visible()
    shared_page.locator("[data-name=feedback] .point").first.hover(force=True)
    hover = shared_page.locator("[data-name=feedback] .hovertext")
    expect(hover).to_contain_text("Cat (61.2%)")
    assert COMMENT.replace(" ", "") in (hover.text_content() or "").replace("\n", "").replace(" ", "")
    assert shared_page.locator("img[src=x], .cd-predictions script, [onmouseover], [onerror]").count() == 0
    assert problems == []


def test_without_a_database_the_last_figures_stay_with_an_error(shared_page: Page, storage: Storage) -> None:
    def rename(old: str, new: str) -> None:
        storage.database.run(lambda connection: connection.execute(sa.text(f"ALTER TABLE {old} RENAME TO {new}")))

    before = tile(shared_page, "total")
    problem = shared_page.locator(".cd-controls .cd-problem:not(:empty)")
    rename("predictions_feedback", "elsewhere")
    try:
        press(shared_page, "Refresh")
        expect(problem).to_contain_text("Run `catsdogs db migrate`.")
        assert tile(shared_page, "total") == before
        assert traces(shared_page, "answers")
    finally:
        rename("elsewhere", "predictions_feedback")
    press(shared_page, "Refresh")
    expect(problem).to_have_count(0)


def test_on_a_french_phone_in_dark_mode(browser: Browser, own: RunningServer, predict: Predict, weeks: None) -> None:
    for number in range(100):  # all with the same photo: the strongest drift
        predict(timedelta(seconds=number), rating=number % 2, model_version=SHIPPED.name, inference_time_ms=1234.5)
    with browser.new_context(
        locale="fr-FR", color_scheme="dark", viewport={"width": 360, "height": 740}, timezone_id="Asia/Tokyo"
    ) as context:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        sign_in(page, own)
        assert page.locator("html").get_attribute("lang") == "fr"
        assert "," in tile(page, "latency")
        rows = "all => all.map((one) => one.clientHeight / parseFloat(getComputedStyle(one).lineHeight))"
        assert {round(n) for n in page.locator(".cd-headline").evaluate_all(rows)} == {1}  # no figure is broken
        expect(page.locator("[data-name=answers] .ytitle")).to_have_css("fill", "rgb(229, 231, 235)")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        widths = page.locator(".cd-plot").evaluate_all("all => all.map(p => [p.clientWidth, p._fullLayout.width])")
        assert widths
        assert all(available == drawn for available, drawn in widths)
        tokyo = datetime.now(UTC) + timedelta(hours=9)
        # The first figures are read before the page has sent its time zone, and the reply to that message may be
        # handled before the new text arrives: wait for it. A second hour, because a full hour may pass meanwhile.
        hours = f"{tokyo:%H}|{tokyo + timedelta(hours=1):%H}"
        expect(page.locator(".cd-updated")).to_have_text(re.compile(f" ({hours}):"))
        assert [url for url in asked if not url.startswith((own.url, "blob:", "data:"))] == []
        expect(page.locator("[data-name=drift]")).to_contain_text("→")
        cut = """card => [...card.querySelectorAll('.main-svg text')].filter((text) => {
            const [inner, outer] = [text, card].map((one) => one.getBoundingClientRect());
            return inner.width && (inner.left < outer.left || inner.right > outer.right);
        }).map((text) => text.textContent)"""
        assert [text for card in page.locator(".cd-chart").all() for text in card.evaluate(cut)] == []
        box = page.locator(".cd-health td", has_text=re.compile("^forte$")).first.bounding_box()
        assert box
        assert box["x"] + box["width"] <= 360
        month = get_month_names("abbreviated", locale="fr")[(tokyo - timedelta(days=3)).month]
        picture = picture_of(page, "inference_time")
        for text in ("Temps d’inférence", "(Asia/Tokyo) · Tous les modèles · Toutes les réponses", month):
            assert text in picture
        page.emulate_media(color_scheme="light")
        expect(page.locator("[data-name=answers] .ytitle")).to_have_css("fill", "rgb(31, 41, 55)")


def picture_of(page: Page, name: str) -> str:
    """Return the texts of the picture that the page saves; it is saved as SVG here, to be readable."""
    page.evaluate(
        """() => { Plotly.downloadImage = async (figure, options) => {
            const picture = await Plotly.toImage(figure, { ...options, format: 'svg' });
            window.saved = { ...options, svg: decodeURIComponent(picture) };
        } }"""
    )
    page.locator(f"[data-name={name}]").get_by_title("Enregistrer en PNG").click()
    saved = page.wait_for_function("window.saved").json_value()
    assert saved["width"] >= 1000
    assert re.fullmatch(rf"catsdogs-{name}_\d{{4}}-\d\d-\d\d-\d{{4}}_\d{{4}}-\d\d-\d\d-\d{{4}}", saved["filename"])
    return unescape(re.sub(r"<[^>]*>", " ", saved["svg"]))


def test_axe_finds_no_accessibility_violation(browser: Browser, own: RunningServer, weeks: None) -> None:
    with browser.new_context(
        locale="fr-FR", reduced_motion="reduce", viewport={"width": 1280, "height": 900}
    ) as context:
        page = context.new_page()
        sign_in(page, own, "?from=2026-03-01T00:00Z&list=disputed&answer=cow")
        assert violations(page) == []
        page.set_viewport_size({"width": 360, "height": 900})
        assert violations(page) == []
