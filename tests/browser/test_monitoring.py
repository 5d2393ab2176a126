"""The monitoring app as an operator meets it: real server, real database, real Chromium."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from babel.dates import get_month_names
from PIL import Image
from playwright.sync_api import Browser, Dialog, Page, expect

from catsdogs.domain import Answer, Consent
from catsdogs.errors import InvalidImage
from catsdogs.model.card import SHIPPED
from catsdogs.records.feedback import FeedbackRecord
from catsdogs.records.predictions import PredictionRecord
from tests.storage import Storage

pytestmark = pytest.mark.browser

READY = 30_000
"""A page starts a kernel: milliseconds until it must be usable on a busy machine."""
NAME = "<img src=x onerror=alert(1)>.jpg"
COMMENT = "<b onmouseover=alert(1)>bold</b> <script>alert(1)</script> $x$"

Predict = Callable[..., PredictionRecord]


@pytest.fixture(scope="module")
def own(launch: Any) -> Any:
    """A server of this module: what others predict would change the figures."""
    return launch()


@pytest.fixture(scope="module")
def storage(own: Any) -> Iterator[Storage]:
    opened = Storage.open(own.settings)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def predict(storage: Storage, make_record: Any) -> Predict:
    """Record a prediction that is some time old, and what was said of it."""

    def predict(
        age: timedelta = timedelta(), opinion: int | None = None, comment: str | None = None, **values: Any
    ) -> PredictionRecord:
        made, _receipt = make_record(Consent(filename_and_comment=comment is not None), NAME)
        record: PredictionRecord = made.model_copy(update={"timestamp": datetime.now(UTC) - age, **values})
        assert storage.writer.store_prediction(record)
        if opinion is not None:
            storage.writer.store_feedback(FeedbackRecord.create(record.id, opinion, comment, None))
        return record

    return predict


@pytest.fixture(scope="module")
def weeks(predict: Predict, storage: Storage) -> None:
    """Weeks of predictions: 20 cats, 10 dogs, 3 neither, 2 unreadable; 12 of 16 satisfied; the last with a comment."""
    for place in range(20):
        predict(timedelta(days=place + 2), opinion=1 if place < 12 else None, inference_time_ms=2.0 + place)
    for place in range(10):
        dog = {"prediction_result": Answer.DOG, "proba_cat": 0.25, "proba_dog": 0.75}
        predict(timedelta(days=2 * place + 2), opinion=0 if place < 3 else None, **dog)
    for place in range(3):
        predict(timedelta(days=place + 3), prediction_result=Answer.NEITHER, neither_score=0.75)
    for place in range(2):
        failure = PredictionRecord.of_failure(InvalidImage("no"), "test-1")
        storage.writer.store_prediction(
            failure.model_copy(update={"timestamp": datetime.now(UTC) - timedelta(days=place + 1)})
        )
    predict(timedelta(minutes=20), opinion=0, comment=COMMENT, proba_cat=0.625, proba_dog=0.375)


def sign_in(page: Page, server: Any, query: str = "") -> None:
    page.goto(f"{server.url}/monitoring{query}")
    page.get_by_label("Password").or_(page.locator("#password")).first.fill(server.operator_password)
    page.locator("form button").click()
    opened(page)


def opened(page: Page) -> None:
    expect(page.locator(".cd-plot .main-svg").first).to_be_visible(timeout=READY)
    expect(page.locator(".cd-controls")).not_to_have_attribute("aria-busy", "true", timeout=READY)


@pytest.fixture(scope="module")
def visit(browser: Browser, own: Any, weeks: None) -> Iterator[Page]:
    """One operator's visit, renewing the page by hand; dialogs and errors of the page are collected."""
    with browser.new_context(locale="en-GB", timezone_id="UTC", viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        trouble: list[str] = []

        def dismiss(dialog: Dialog) -> None:
            trouble.append(dialog.message)
            dialog.dismiss()

        page.trouble = trouble  # type: ignore[attr-defined]
        page.on("dialog", dismiss)
        page.on("pageerror", lambda error: trouble.append(str(error)))
        sign_in(page, own)
        page.get_by_role("button", name="Live").click()
        yield page


def look(page: Page, control: str) -> None:
    """Press a button of the controls, and wait for what it brings."""
    page.get_by_role("button", name=control, exact=True).click()
    expect(page.locator(".cd-controls")).not_to_have_attribute("aria-busy", "true", timeout=READY)


def tile(page: Page, name: str) -> str:
    return page.locator(f".cd-tile[data-name={name}] .cd-headline").inner_text().replace("\N{NO-BREAK SPACE}", " ")


def traces(page: Page, name: str) -> dict[str, Any]:
    """What plotly.js holds of a chart, by the name of the series."""
    drawn = page.locator(f".cd-chart[data-name={name}] .cd-plot").evaluate("plot => plot.data")
    return {trace.get("name", ""): trace for trace in drawn}


def test_it_needs_the_operators_sign_in(page: Page, own: Any) -> None:
    page.goto(f"{own.url}/monitoring")
    expect(page).to_have_url(f"{own.url}/login")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("This is not the password.")
    page.goto(f"{own.url}/monitoring")
    expect(page.locator(".cd-tile")).to_have_count(0)


def test_the_figures_are_those_of_the_database(visit: Page, own: Any) -> None:
    look(visit, "All")
    [held] = own.query(
        "SELECT count(*) AS total, count(*) FILTER (WHERE NOT success) AS failed, count(*) FILTER (WHERE rgpd_consent)"
        " AS agreed, avg(inference_time_ms) AS mean, min(inference_time_ms) AS least, max(inference_time_ms) AS most,"
        " count(*) FILTER (WHERE user_feedback = 1) AS good, count(user_feedback) AS said,"
        " count(*) FILTER (WHERE prediction_result = 'cat') AS cat,"
        " count(*) FILTER (WHERE prediction_result = 'dog') AS dog FROM predictions_feedback"
    )
    assert held["total"] == 36
    assert tile(visit, "total") == str(held["total"])
    assert tile(visit, "latency") == f"{held['mean']:.1f} ms"
    detail = visit.locator(".cd-tile[data-name=latency]").inner_text().replace("\N{NO-BREAK SPACE}", " ")
    assert f"min {held['least']:.1f} ms · max {held['most']:.1f} ms" in detail
    assert tile(visit, "satisfaction") == f"{held['good'] / held['said']:.1%}"
    assert tile(visit, "errors") == f"{held['failed'] / held['total']:.1%}"
    assert tile(visit, "consent") == f"{held['agreed'] / held['total']:.1%}"
    bars = traces(visit, "answers")
    assert (sum(bars["Cat"]["y"]), sum(bars["Dog"]["y"]), sum(bars["Error"]["y"])) == (held["cat"], held["dog"], 2)
    [split] = visit.locator("[data-name=satisfaction_split] .cd-plot").evaluate("plot => plot.data")
    assert split["values"] == [held["good"], held["said"] - held["good"]]
    points = traces(visit, "feedback")
    assert (len(points["Satisfied"]["x"]), len(points["Unsatisfied"]["x"])) == (12, 4)
    assert [mean for mean in traces(visit, "inference_time")["Mean"]["y"] if mean is not None]
    newest = visit.locator(".cd-predictions tbody tr").first.locator("td").all_inner_texts()
    assert newest[1:7] == ["Cat", "62.5%", "3.5 ms", "No", COMMENT, NAME]


def test_a_window_and_a_model_are_chosen(visit: Page, predict: Predict) -> None:
    predict(timedelta(minutes=30), model_version="test-2")
    look(visit, "1 hour")
    assert tile(visit, "total") == "2"
    visit.locator(".cd-controls").get_by_label("Model").select_option("test-2")
    expect(visit.locator(".cd-tile[data-name=total] .cd-headline")).to_have_text("1", timeout=READY)
    visit.locator(".cd-controls").get_by_label("Model").select_option("All models")
    expect(visit.locator(".cd-tile[data-name=total] .cd-headline")).to_have_text("2", timeout=READY)


def test_the_view_is_in_the_address_and_can_be_shared(
    visit: Page, browser: Browser, own: Any, predict: Predict
) -> None:
    predict(timedelta(hours=2), opinion=0, model_version="test-3")
    visit.evaluate("window.notReloaded = true")
    paused = f"{own.url}/monitoring?live=off"
    look(visit, "24 hours")
    visit.locator(".cd-controls").get_by_label("Answer").select_option("Cat")
    visit.locator(".cd-controls").get_by_label("Model").select_option("test-3")
    look(visit, "Reported as wrong")
    total = visit.locator(".cd-tile[data-name=total] .cd-headline")
    expect(total).to_have_text("1", timeout=READY)
    expect(visit).to_have_url(f"{paused}&window=24h&model=test-3&answer=cat&list=disputed")
    assert visit.evaluate("window.notReloaded")

    with browser.new_context(locale="en-GB", timezone_id="Asia/Tokyo") as context:
        other = context.new_page()
        sign_in(other, own, visit.url.removeprefix(f"{own.url}/monitoring"))
        expect(other).to_have_url(visit.url)
        expect(other.locator(".cd-tile[data-name=total] .cd-headline")).to_have_text("1", timeout=READY)
        expect(other.get_by_role("button", pressed=True)).to_have_text(["24 hours", "Reported as wrong"])  # paused, too
        expect(other.locator(".cd-predictions tbody tr")).to_have_count(1)
        look(other, "From … to …")
        other.locator(".cd-moments").get_by_label("From").fill("2026-03-01T09:00")
        other.locator(".cd-moments").get_by_label("To").fill("2026-03-02T09:00")
        look(other, "Show")
        expect(other).to_have_url(re.compile(r"[?&]from=2026-03-01T00%3A00Z&to=2026-03-02T00%3A00Z"))
        expect(other.locator(".cd-tile[data-name=total] .cd-headline")).to_have_text("0")

    for label in ("Answer", "Model"):
        visit.locator(".cd-controls").get_by_label(label).select_option("")
    look(visit, "Latest")
    expect(visit).to_have_url(f"{paused}&window=24h")
    look(visit, "1 hour")
    look(visit, "All")
    for window, name in (("1h", "1 hour"), ("24h", "24 hours")):
        visit.go_back()
        expect(visit).to_have_url(f"{paused}&window={window}")
        expect(visit.locator(".cd-windows").get_by_role("button", pressed=True)).to_have_text(name)
    visit.go_forward()
    expect(visit.locator(".cd-windows").get_by_role("button", pressed=True)).to_have_text("1 hour")
    assert visit.evaluate("window.notReloaded")


def test_one_can_go_back_and_forward_faster_than_figures_are_read(visit: Page) -> None:
    chosen = visit.locator(".cd-windows").get_by_role("button", pressed=True)
    for window in ("24 hours", "1 hour", "All"):
        look(visit, window)
    for direction, window, name in (("back", "24h", "24 hours"), ("forward", "all", "All")):
        visit.evaluate(
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
        expect(visit.locator(".cd-controls")).not_to_have_attribute("aria-busy", "true", timeout=READY)
        expect(visit).to_have_url(re.compile(rf"[?&]window={window}$"))


def test_two_moments_are_kept_to_the_second_and_a_refusal_stays_until_something_changes(
    browser: Browser, own: Any, weeks: None
) -> None:
    with browser.new_context(locale="en-GB", timezone_id="Asia/Tokyo") as context:
        page = context.new_page()
        sign_in(page, own, "?from=2026-03-01T00:00:10Z&to=2026-03-01T00:00:50Z&live=off")
        start, end = (page.locator(".cd-moments").get_by_label(label) for label in ("From", "To"))
        refusal = page.locator(".cd-refusal")
        expect(page).to_have_url(re.compile("from=2026-03-01T00:00:10Z&to=2026-03-01T00:00:50Z"))
        assert [start.input_value(), end.input_value()] == ["2026-03-01T09:00:10", "2026-03-01T09:00:50"]

        end.fill("2026-02-02T09:00:30")
        look(page, "Show")
        expect(refusal).to_have_text("The start of the window must be before its end.")
        before = page.locator(".cd-updated").inner_text()
        page.get_by_role("button", name="Live").click()
        expect(page.locator(".cd-updated")).not_to_have_text(before)  # the page has looked again
        expect(refusal).to_have_text("The start of the window must be before its end.")
        page.get_by_role("button", name="Live").click()
        page.locator(".cd-controls").get_by_label("Answer").select_option("Cat")
        expect(page).to_have_url(re.compile("answer=cat"))
        expect(refusal).to_be_empty()
        assert end.input_value() == "2026-02-02T09:00:30"  # what was typed stays

        start.fill("0001-01-01T00:00:00")
        page.get_by_role("button", name="Show").click()
        assert start.evaluate("input => input.matches(':user-invalid') && input.validity.rangeUnderflow")
        start.fill("")
        end.fill("")
        look(page, "Show")
        expect(page).to_have_url(re.compile(r"[?&]window=all"))
        expect(page.locator(".cd-windows").get_by_role("button", pressed=True)).to_have_text("All")

        page.get_by_role("link", name="Français").click()
        expect(page.locator("html")).to_have_attribute("lang", "fr", timeout=READY)
        opened(page)
        expect(page.get_by_role("button", name="En direct")).to_have_attribute("aria-pressed", "false")
        expect(page.locator(".cd-windows").get_by_role("button", pressed=True)).to_have_text("Tout")


def test_a_wrong_address_is_said_and_the_usual_shown(browser: Browser, own: Any, weeks: None) -> None:
    with browser.new_context(locale="en-GB") as context:
        page = context.new_page()
        sign_in(page, own, "?window=9d&answer=cow&from=yesterday&lang=en")
        expect(page.locator(".cd-notice")).to_contain_text("not understood: window, from, answer")
        expect(page.get_by_role("button", pressed=True)).to_have_text(["7 days", "Live", "Latest"])
        expect(page).to_have_url(f"{own.url}/monitoring?lang=en")


def test_what_is_seen_can_be_saved(visit: Page, predict: Predict) -> None:
    predict(timedelta(minutes=5), opinion=0, comment="=1+1")
    look(visit, "All")

    def saved(name: str) -> bytes:
        with visit.expect_download() as download:
            visit.get_by_role("button", name=name, exact=True).click()
        return Path(download.value.path()).read_bytes()

    timeline = list(csv.DictReader(io.StringIO(saved("Save as CSV: Inference time").decode("utf-8-sig"))))
    assert sum(int(bucket["predictions"]) for bucket in timeline) == int(tile(visit, "total"))
    feedback = list(csv.DictReader(io.StringIO(saved("Save as CSV: Feedback").decode("utf-8-sig"))))
    assert {COMMENT, "'=1+1"} <= {point["user_comment"] for point in feedback}
    look(visit, "Reported as wrong")
    disputed = list(csv.DictReader(io.StringIO(saved("Save as CSV, at most 1,000 predictions").decode("utf-8-sig"))))
    assert len(disputed) == visit.locator(".cd-predictions tbody tr").count()
    assert {row["user_feedback"] for row in disputed} == {"0"}
    look(visit, "Latest")
    with Image.open(io.BytesIO(saved("Save as PNG: Predictions and answers"))) as picture:
        assert (picture.format, picture.size[0] >= 1000) == ("PNG", True)
        assert len(picture.convert("RGB").getcolors(2**24) or []) > 20  # axes and bars on paper, not a blank sheet


def test_new_predictions_come_into_the_same_charts(visit: Page, predict: Predict) -> None:
    look(visit, "24 hours")
    before = int(tile(visit, "total"))
    visit.locator("[data-name=answers] .cd-plot").evaluate("plot => { plot.querySelector('.main-svg').id = 'same'; }")
    record = predict(prediction_result=Answer.DOG, proba_cat=0.0625, proba_dog=0.9375)
    look(visit, "Refresh")
    assert tile(visit, "total") == str(before + 1)
    assert sum(traces(visit, "answers")["Dog"]["y"]) == 1
    newest = visit.locator(".cd-predictions tbody tr").first.locator("td").all_inner_texts()
    assert newest[1:3] == ["Dog", "93.8%"]
    assert f"{record.timestamp:%M:%S}" in newest[0]
    expect(visit.locator("[data-name=answers] #same")).to_be_visible()  # updated in place: nothing flickers


def test_by_itself_a_live_page_renews_itself(visit: Page, predict: Predict) -> None:
    before = int(tile(visit, "total"))
    live = visit.get_by_role("button", name="Live", pressed=False)
    live.click()
    predict()
    expect(visit.locator(".cd-tile[data-name=total] .cd-headline")).to_have_text(str(before + 1), timeout=READY)
    visit.get_by_role("button", name="Live", pressed=True).click()
    expect(live).to_be_visible()


def test_what_a_stranger_wrote_is_text(visit: Page) -> None:
    look(visit, "1 hour")
    expect(visit.locator(".cd-predictions").get_by_text(NAME, exact=True).first).to_be_visible()
    visit.locator("[data-name=feedback] .point").first.hover(force=True)
    hover = visit.locator("[data-name=feedback] .hovertext")
    expect(hover).to_contain_text("Cat (62.5%)")
    assert COMMENT.replace(" ", "") in (hover.text_content() or "").replace("\n", "").replace(" ", "")
    assert visit.locator("img[src=x], .cd-predictions script, [onmouseover], [onerror]").count() == 0
    assert visit.trouble == []  # type: ignore[attr-defined]


def test_while_the_database_is_away_the_last_figures_stay_with_a_sentence(visit: Page, storage: Storage) -> None:
    def rename(old: str, new: str) -> None:
        storage.database.run(lambda connection: connection.execute(sa.text(f"ALTER TABLE {old} RENAME TO {new}")))

    before = tile(visit, "total")
    problem = visit.locator(".cd-controls .cd-problem:not(:empty)")
    rename("predictions_feedback", "elsewhere")
    try:
        look(visit, "Refresh")
        expect(problem).to_contain_text("Run `catsdogs db migrate`.")
        assert tile(visit, "total") == before
        assert traces(visit, "answers")
    finally:
        rename("elsewhere", "predictions_feedback")
    look(visit, "Refresh")
    expect(problem).to_have_count(0)


def test_in_the_dark_on_a_french_phone(browser: Browser, own: Any, predict: Predict, weeks: None) -> None:
    for place in range(100):  # all alike: as far as can be from what the model was measured on
        predict(timedelta(seconds=place), opinion=place % 2, model_version=SHIPPED.name, inference_time_ms=1234.5)
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
        places = page.locator(".cd-plot").evaluate_all("all => all.map(p => [p.clientWidth, p._fullLayout.width])")
        assert all(width == drawn for width, drawn in places)
        tokyo = datetime.now(UTC) + timedelta(hours=9)
        assert f" {tokyo:%H}:" in page.locator(".cd-updated").inner_text() or tokyo.minute == 0
        assert [url for url in asked if not url.startswith((own.url, "blob:", "data:"))] == []
        expect(page.locator("[data-name=drift]")).to_contain_text("→")
        cut = """card => [...card.querySelectorAll('.main-svg text')].filter((text) => {
            const [inner, outer] = [text, card].map((one) => one.getBoundingClientRect());
            return inner.width && (inner.left < outer.left || inner.right > outer.right);
        }).map((text) => text.textContent)"""
        assert [words for card in page.locator(".cd-chart").all() for words in card.evaluate(cut)] == []
        box = page.locator(".cd-health td", has_text=re.compile("^forte$")).first.bounding_box()
        assert box
        assert box["x"] + box["width"] <= 360
        month = get_month_names("abbreviated", locale="fr")[(tokyo - timedelta(days=3)).month]
        picture = picture_of(page, "inference_time")
        for words in ("Temps d’inférence", "(Asia/Tokyo) · Tous les modèles · Toutes les réponses", month):
            assert words in picture
        page.emulate_media(color_scheme="light")
        expect(page.locator("[data-name=answers] .ytitle")).to_have_css("fill", "rgb(31, 41, 55)")


def picture_of(page: Page, name: str) -> str:
    """Give the words of a picture that is saved; only that it is saved as text is not as in real life."""
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


@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1280)])
def test_axe_finds_nothing_to_complain_of(browser: Browser, own: Any, weeks: None, scheme: Any, width: int) -> None:
    with browser.new_context(
        locale="fr-FR", color_scheme=scheme, reduced_motion="reduce", viewport={"width": width, "height": 900}
    ) as context:
        page = context.new_page()
        sign_in(page, own, "?from=2026-03-01T00:00Z&list=disputed&answer=cow")
        assert [violation["id"] for violation in Axe().run(page).response["violations"]] == []
