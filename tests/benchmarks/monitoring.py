"""The monitoring app's queries on a long table, compared with V2, which fetches every row to draw a chart.

``CATSDOGS_BENCH_ROWS=10000000`` makes the table of ten million (some minutes and 6 GB); by default one of a million.
"""

from __future__ import annotations

import os
import statistics as stats
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from catsdogs.alerting.listing import list_alerts
from catsdogs.alerting.rules import load_rules
from catsdogs.alerting.scheduler import evaluate
from catsdogs.database import Database, roll_ups, setup
from catsdogs.i18n import Translator
from catsdogs.model.card import SHIPPED, read_card
from catsdogs.monitoring import kpis, listings
from catsdogs.monitoring.charts import CHARTS
from catsdogs.monitoring.figures import Statistics
from catsdogs.monitoring.model_health import model_health
from catsdogs.monitoring.prediction_filter import Listing, PredictionFilter
from catsdogs.records import predictions
from catsdogs.settings import Settings
from tests.benchmarks._measuring import Row, seconds
from tests.benchmarks.records import prediction
from tests.benchmarks.sessions import megabytes
from tests.kernel_processes import kernels_of
from tests.serving import chromium, served

ROWS = int(os.environ.get("CATSDOGS_BENCH_ROWS", "1000000"))
DAYS = 400
REPEATS = 5
TURNS, INSERTS, WARMING = 10, 60, 10
DRAWING = 5000
"""Milliseconds until all charts are drawn."""
FILL = """INSERT INTO predictions_feedback (id, timestamp, created_at, success, prediction_result, proba_cat, proba_dog,
    neither_score, inference_time_ms, rgpd_consent, model_version, user_feedback, feedback_at, error_type)
    SELECT gen_random_uuid(), moment, moment, answer <> 'error', answer,
        CASE WHEN answer <> 'error' THEN sure END, CASE WHEN answer <> 'error' THEN 1 - sure END, 0.1,
        CASE WHEN answer <> 'error' THEN exp(2.3 + 0.35 * random_normal()) END, false,
        CASE WHEN number < :rows / 2 THEN '1.0' ELSE '1.1' END, CASE WHEN rated THEN (random() < 0.9)::int END,
        CASE WHEN rated THEN moment END, CASE WHEN answer = 'error' THEN 'InvalidImage' END
    FROM (
        SELECT number, now() - (:rows - number) * (interval '1 day' * :days / :rows) AS moment,
            (ARRAY['cat', 'cat', 'cat', 'cat', 'cat', 'dog', 'dog', 'dog', 'dog', 'neither', 'error'])
                [1 + floor(random() * 11)] AS answer,
            0.5 + random() / 2 AS sure, random() < 0.3 AS rated
        FROM generate_series(:first, :last) AS number
    ) AS visits"""


def measure(*, tiny: bool = False) -> list[Row]:
    large, repeats, turns, drawing = (100, 1, 1, 0) if tiny else (ROWS, REPEATS, TURNS, DRAWING)
    small = max(large // 10, 1)
    with tempfile.TemporaryDirectory(prefix="catsdogs-bench-") as folder:
        settings = Settings(_env_file=None, db_host=None, CATSDOGS_DATA_DIR=f"{folder}/data")
        database = Database(settings)
        setup.ensure(database)
        fill(database, 1, small, small)
        before = views(database, repeats)
        database.run(lambda connection: connection.execute(sa.text("TRUNCATE predictions_feedback CASCADE")))
        summarising = fill(database, 1, large, large)
        after = views(database, repeats)
        fetching, transferred = fetch_every_row(database)
        points = max(len(trace["x"] if "x" in trace else trace["values"]) for trace in traces(read(database)))
        insert, plain = inserts(database, turns)
        kernel, fresh = dashboard(Path(folder), database, drawing)
        database.close()
    found = [
        Row(
            f"{name}, {large:,} rows", f"{1000 * spent:,.0f} ms", f"{spent / before[name]:.2f} x that of {small:,} rows"
        )
        for name, spent in after.items()
    ]
    ratio = f"{fetching / after['all, by all models']:,.0f} x"
    return [
        *found,
        Row("V2's way: fetch every row", f"{1000 * fetching:,.0f} ms, {transferred:,.0f} MB", ratio),
        Row("summarising all of it, once", f"{summarising:.1f} s", f"{large / summarising:,.0f} rows/s"),
        Row("most points of a trace", f"{points:,}"),
        Row("one prediction recorded", f"{insert:.2f} ms", f"{insert / plain:.3f} x that without summaries"),
        Row("kernel of the dashboard, all of it shown, PSS", f"{kernel:.0f} MiB"),
        Row("from a new prediction to the page", f"{fresh:.1f} s"),
    ]


def fill(database: Database, first: int, last: int, rows: int) -> float:
    """Insert predictions of the last `DAYS` days; return the seconds that the roll-ups took."""

    def work(connection: sa.Connection, first: int) -> None:
        connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
        values = {"first": first, "last": min(first + 500_000 - 1, last), "rows": rows, "days": DAYS}
        connection.execute(sa.text(FILL), values)

    for begin in range(first, last + 1, 500_000):
        database.run(partial(work, first=begin))
    started = time.perf_counter()
    while database.run(lambda connection: roll_ups.refresh(connection, database.tables)):
        pass
    spent = time.perf_counter() - started
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.exec_driver_sql("VACUUM ANALYZE")  # as autovacuum does after a while
    return spent


def read(database: Database, days: float | None = None, **chosen: Any) -> Statistics:
    start = None if days is None else datetime.now(UTC) - timedelta(days=days)
    table = database.tables.predictions
    return database.run(lambda connection: kpis.statistics(connection, table, PredictionFilter(start, **chosen)))


def health(database: Database, days: float | None = None) -> None:
    start = None if days is None else datetime.now(UTC) - timedelta(days=days)
    table, card = database.tables.predictions, read_card(SHIPPED)
    database.run(lambda connection: model_health(connection, table, lambda _: card, PredictionFilter(start)))


def views(database: Database, repeats: int) -> dict[str, float]:
    """Return the median seconds of the queries of each view: figures, and a list."""

    def view(days: float | None, listing: Listing = Listing.LATEST, **chosen: Any) -> None:
        read(database, days, **chosen)
        start = None if days is None else datetime.now(UTC) - timedelta(days=days)
        table, wanted = database.tables.predictions, PredictionFilter(start, listing=listing, **chosen)
        database.run(lambda connection: listings.list_predictions(connection, table, wanted, 20))

    wanted: dict[str, Callable[[], object]] = {
        "1 day": lambda: view(1),
        "7 days": lambda: view(7),
        "30 days": lambda: view(30),
        "30 days, one model": lambda: view(30, model_version="1.1"),
        "30 days, one answer": lambda: view(30, answer="neither"),
        "30 days, the least sure": lambda: view(30, Listing.LEAST_SURE),
        "30 days, the disputed": lambda: view(30, Listing.DISPUTED),
        "all, by all models": lambda: view(None),
        "all, one model and answer": lambda: view(None, model_version="1.0", answer="dog"),
        "change token": lambda: database.run(listings.change_token),
        "model health, 30 days": lambda: health(database, 30),
        "model health, all": lambda: health(database),
        "alert rules, evaluated": lambda: evaluate(database, load_rules()),
        "alerts, listed": lambda: list_alerts(database, load_rules()) and None,
    }
    return {name: stats.median(seconds(work) for _ in range(repeats)) for name, work in wanted.items()}


def traces(found: Statistics) -> list[dict[str, Any]]:
    figures = (chart(found, Translator("en")).to_plotly_json() for chart in CHARTS.values())  # type: ignore[call-arg]
    return [trace for figure in figures for trace in figure["data"]]


def fetch_every_row(database: Database) -> tuple[float, float]:
    """Fetch every row, as V2 does; return the seconds, and the size of the rows as text, in megabytes."""
    query = "SELECT timestamp, inference_time_ms, user_feedback, prediction_result, proba_cat FROM predictions_feedback"
    size = f"SELECT sum(octet_length(found::text)) / 1e6 FROM ({query}) AS found"
    with database.engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        started = time.perf_counter()
        fetched = connection.exec_driver_sql(query).all()
        spent = time.perf_counter() - started
        del fetched
        return spent, float(connection.exec_driver_sql(size).scalar_one())


def inserts(database: Database, turns: int) -> tuple[float, float]:
    """Return the milliseconds to record a prediction with the trigger of the roll-ups, and without, alternately."""
    table = database.tables.predictions.name

    def switch(state: str) -> None:
        database.run(
            lambda connection: connection.exec_driver_sql(f'ALTER TABLE "{table}" {state} TRIGGER "{table}_insert"')
        )

    def record() -> None:
        database.run(lambda connection: predictions.store(connection, database.tables, [prediction()]))

    taken: dict[str, list[float]] = {"ENABLE": [], "DISABLE": []}
    for _ in range(turns):
        for state, times in taken.items():
            switch(state)
            times.extend([1000 * seconds(record) for _ in range(INSERTS)][WARMING:])
    switch("ENABLE")
    return stats.median(taken["ENABLE"]), stats.median(taken["DISABLE"])


def dashboard(folder: Path, database: Database, drawing: float) -> tuple[float, float]:
    """Return the memory of a kernel that shows the whole table, in MiB, and seconds until it shows a new prediction."""
    password = "open sesame"
    with served(folder, CATSDOGS_OPERATOR_PASSWORD=password) as (url, server), chromium() as browser:
        page = browser.new_page()
        page.goto(f"{url}/monitoring?window=all")
        page.fill("input[type=password]", password)
        page.keyboard.press("Enter")
        total = page.locator(".cd-tile[data-name=total] .cd-headline")
        total.wait_for(timeout=120_000)
        page.wait_for_timeout(drawing)
        before = total.inner_text()
        database.run(lambda connection: predictions.store(connection, database.tables, [prediction()]))
        started = time.perf_counter()
        while total.inner_text() == before:
            page.wait_for_timeout(20)
        fresh = time.perf_counter() - started
        (kernel,) = (megabytes(process) for process in kernels_of(server))
    return kernel, fresh
