"""A folder is scored on a Dask cluster and on this machine, with the same table, even if workers are lost."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.dataset
import pytest
from distributed import Client, LocalCluster

from catsdogs.batch.dask_runner import on_cluster
from catsdogs.batch.run import BatchResult, run_locally, score_folder
from catsdogs.errors import InvalidInput, ModelError, ServiceUnavailable
from catsdogs.model.card import SHIPPED
from catsdogs.model.classifier import Classifier
from catsdogs.settings import Settings

from .conftest import N


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    # Dask starts its workers with multiprocessing, which reads this attribute; the test processes of xdist lack it.
    main = sys.modules["__main__"]
    main.__spec__ = getattr(main, "__spec__", None)
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster:
        yield cluster


def rows(out: Path) -> list[dict[str, Any]]:
    return sorted(pyarrow.dataset.dataset(out).to_table().to_pylist(), key=lambda row: row["file"])


def written(out: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in out.glob("part-*")}


def test_a_cluster_writes_the_same_table_as_this_machine(
    folder: Path, cluster: LocalCluster, settings: Settings, tmp_path: Path
) -> None:
    done: list[tuple[int, int]] = []
    result = score_folder(
        folder, tmp_path / "far", settings, on_cluster(cluster.scheduler_address), lambda *n: done.append(n)
    )
    assert (
        result
        == BatchResult(N, 2, SHIPPED.name)
        == score_folder(folder, tmp_path / "near.parquet", settings, run_locally)
    )
    assert (done[0], done[-1], len(done)) == ((0, N), (N, N), 6)
    assert sorted(written(tmp_path / "far")) == [f"part-{number:06}.parquet" for number in range(5)]
    assert sorted(tmp_path.iterdir()) == [tmp_path / "far", tmp_path / "near.parquet"]

    far, near = rows(tmp_path / "far"), rows(tmp_path / "near.parquet")
    for row in far + near:
        assert (row.pop("inference_time_ms") is None) == (row["prediction"] is None)
    assert far == near
    by_name = {row["file"]: row for row in far}
    assert set(by_name) >= {"00.jpg", "second/01.jpg", "caf\ufffd.jpg"}
    assert {name: row["error"][:15] for name, row in by_name.items() if row["error"]} == {
        "half.jpg": "Too much of thi",
        "words.txt": "This is not a p",
    }
    prediction, _ = Classifier.open(SHIPPED).classify((folder / "00.jpg").read_bytes())
    assert by_name["00.jpg"]["prediction"] == prediction.answer == "cat"
    assert by_name["00.jpg"]["proba_cat"] == pytest.approx(prediction.proba_cat, abs=1e-6)
    assert by_name["00.jpg"]["model_version"] == SHIPPED.name


def test_only_missing_parts_are_computed(
    folder: Path, cluster: LocalCluster, settings: Settings, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    score_folder(folder, out, settings, run_locally)
    before = written(out)
    (out / "part-000002.parquet").unlink()
    (out / ".part-000004.parquet.tmp").write_bytes(b"part of a killed process")
    done: list[tuple[int, int]] = []
    result = score_folder(folder, out, settings, on_cluster(cluster.scheduler_address), lambda *n: done.append(n))
    assert (result.photos, done) == (N, [(N - 4, N), (N, N)])
    after = written(out)
    del before["part-000002.parquet"], after["part-000002.parquet"]
    assert after == before
    assert len(rows(out)) == N


def test_a_worker_that_dies_is_replaced(
    folder: Path, cluster: LocalCluster, settings: Settings, tmp_path: Path
) -> None:
    victims: list[int] = []

    def kill(done: int, of: int) -> None:
        if done and not victims:
            with Client(cluster.scheduler_address, set_as_default=False) as client:
                victims.extend(client.run(os.getpid).values())
            os.kill(victims[0], signal.SIGKILL)

    assert score_folder(folder, tmp_path / "out", settings, on_cluster(cluster.scheduler_address), kill).photos == N
    assert len(victims) == 2
    assert len(rows(tmp_path / "out")) == N


def test_nothing_is_lost_when_the_scheduler_stops(
    folder: Path, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catsdogs.batch.dask_runner.CONNECT_SECONDS", 1)
    out = tmp_path / "out"
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0") as cluster:
        runner = on_cluster(cluster.scheduler_address)
        with pytest.raises(ServiceUnavailable, match="The predictions so far are kept"):
            score_folder(folder, out, settings, runner, lambda done, of: cluster.close() if done else None)
    kept = written(out)
    assert 0 < len(kept) < 5
    score_folder(folder, out, settings, run_locally)
    assert len(rows(out)) == N
    assert written(out).items() >= kept.items()


def test_a_cluster_without_workers_is_refused(folder: Path, settings: Settings, tmp_path: Path) -> None:
    with (
        LocalCluster(n_workers=0, processes=False, dashboard_address="127.0.0.1:0") as cluster,
        pytest.raises(ServiceUnavailable, match="has no workers"),
    ):
        score_folder(folder, tmp_path / "out", settings, on_cluster(cluster.scheduler_address, workerless_seconds=1))


def test_a_machine_with_another_model_is_refused(
    folder: Path, cluster: LocalCluster, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The card on this machine has another checksum than those of the workers."""
    card = Classifier.open(SHIPPED).card
    other = card.model_copy(update={"sha256": card.sha256 | {"model.onnx": "0" * 64}})
    monkeypatch.setattr(Classifier, "open", lambda *_: Classifier(None, other, ""))  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="A worker has another model"):
        score_folder(folder, tmp_path / "out", settings, on_cluster(cluster.scheduler_address))


@pytest.mark.parametrize(
    ("address", "error", "says"),
    [
        ("tcp://127.0.0.1:1", ServiceUnavailable, "scheduler tcp://127.0.0.1:1 cannot be reached"),
        ("nonsense", InvalidInput, "nonsense is not the address"),
    ],
)
def test_a_wrong_address_is_refused(
    folder: Path,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    error: Any,
    says: str,
) -> None:
    monkeypatch.setattr("catsdogs.batch.dask_runner.CONNECT_SECONDS", 1)
    with pytest.raises(error, match=says):
        score_folder(folder, tmp_path / "out", settings, on_cluster(address))
