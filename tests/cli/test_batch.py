"""``catsdogs predict --out``, as a shell calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from distributed import LocalCluster

from catsdogs.cli import main
from catsdogs.extras import install_command
from catsdogs.model.card import SHIPPED

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Call the command in a folder that holds photos/ with a cat and a text, with no setting in the environment."""

    def call(
        *arguments: str, program: str = "import catsdogs.__main__ as m; m.main()"
    ) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        command = [sys.executable, "-c", program, "predict", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    return call


@pytest.fixture
def photos(tmp_path: Path, cat_jpeg: bytes) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "cat.jpg").write_bytes(cat_jpeg)
    return folder


def test_a_cluster_classifies_and_unreadable_files_give_exit_code_1(run: Run, photos: Path, tmp_path: Path) -> None:
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address="127.0.0.1:0"
    ) as cluster:
        done = run("photos", "--out", "good.parquet", "--scheduler", cluster.scheduler_address)
        expected = f"good.parquet: 1 file, 0 not read, model {SHIPPED.name}\n"
        assert (done.returncode, done.stdout, done.stderr) == (0, expected, "")
        (photos / "words.txt").write_text("no photo")
        done = run("photos", "--out", "some", "--scheduler", cluster.scheduler_address, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout) == {"out": "some", "photos": 2, "errors": 1, "model_version": SHIPPED.name}
    assert pq.read_table(tmp_path / "some")["prediction"].to_pylist() == ["cat", None]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["photos", "--scheduler", "tcp://127.0.0.1:1"], "Give one folder of photos, and the path of the table"),
        (["photos", "photos", "--out", "t"], "Give one folder of photos, and the path of the table"),
        (["photos/cat.jpg", "--out", "t"], "There is no folder photos/cat.jpg."),
        (["empty", "--out", "t"], "There are no files in empty."),
        (["photos", "--out", "photos/t"], "The table cannot be written among the photos."),
        (["link", "--out", "photos/t"], "The table cannot be written among the photos."),
        (["photos", "--out", "there.parquet"], "There is a file there.parquet already."),
        (["photos", "--out", "other"], "The folder other holds something else."),
        (["photos", "--out", "older"], "The folder older holds predictions for other photos"),
        (["photos", "--out", "t.csv"], "The table is written as Parquet: t.csv must end in .parquet"),
        (["photos", "--out", "there.parquet/t"], "there.parquet/t cannot be written: Not a directory."),
    ],
)
def test_impossible_calls_are_refused_with_a_sentence(
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    sentence: str,
) -> None:
    (tmp_path / "there.parquet").touch()
    (tmp_path / "link").symlink_to("photos")
    for folder, file in (("empty", None), ("other", "holiday.doc"), ("older", "_plan.json")):
        (tmp_path / folder).mkdir()
        if file:
            (tmp_path / folder / file).write_text("{}")
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["catsdogs", "predict", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith(f"catsdogs: {sentence}")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("package", ["pyarrow", "distributed"])
def test_missing_packages_are_named(run: Run, photos: Path, package: str) -> None:
    program = f"import sys; sys.modules['{package}'] = None; import catsdogs.__main__ as m; m.main()"
    done = run("photos", "--out", "t", "--scheduler", "tcp://127.0.0.1:1", program=program)
    assert done.returncode == 1
    assert done.stderr == f"catsdogs: A table needs more packages. Run: {install_command('cluster')}\n"


def test_predictions_without_a_table_do_not_import_these_packages(run: Run, photos: Path) -> None:
    program = "import atexit, sys, catsdogs.__main__ as m; "
    program += "atexit.register(lambda: print(sorted({'pyarrow', 'distributed', 'pandas'} & {*sys.modules}))); m.main()"
    assert run("photos", program=program).stdout.splitlines()[-1] == "[]"
