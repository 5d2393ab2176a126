"""``catsdogs predict``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from catsdogs.model.card import SHIPPED

from .conftest import Run, lines


@pytest.fixture
def folder(tmp_path: Path, cat_jpeg: bytes) -> Path:
    """Three photos of a cat, one in a folder below, and something else."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for name in ("a.jpg", "b photo.jpg", "more/<img src=x onerror=alert(1)>.jpg"):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(cat_jpeg)
    return folder


def test_a_name_that_is_not_utf8_or_that_would_change_the_terminal_is_printed(
    run: Run, tmp_path: Path, cat_jpeg: bytes
) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9\n\x1b[2J at 5\xe2\x80\xafPM.jpg")).write_bytes(cat_jpeg)
    for options in ((), ("--json",)):
        done = run("predict", str(tmp_path), *options)
        assert (done.returncode, done.stderr) == (0, "")
        assert "caf\\udce9\\n\\" in done.stdout
        assert "\x1b" not in done.stdout
        assert done.stdout.count("\n") == 1


def test_a_folder_means_every_file_below_it(run_process: Run, folder: Path) -> None:
    done = run_process("predict", str(folder), "--json")
    assert done.returncode == 0, done.stderr
    rows = lines(done)
    assert [Path(str(row["file"])).is_file() for row in rows] == [True, True, True]
    for row in rows:
        assert row.keys() >= {
            "file", "prediction", "proba_cat", "proba_dog", "inference_time_ms", "model_version"
        }  # fmt: skip
        assert row["prediction"] == "cat"
        assert row["proba_cat"] + row["proba_dog"] == pytest.approx(1)
        assert row["model_version"] == SHIPPED.name
        assert {len(line) for line in row["explanation"]["activation"]} == {len(row["explanation"]["activation"])}
        assert row["explanation"]["box"] == [0.167, 0, 0.833, 1]
    assert done.stderr == ""
    assert not (folder.parent / "data").exists(), "the command records nothing"
    assert not list(folder.parent.rglob("*onnxruntime*")), "ONNX Runtime writes no telemetry"


def test_an_unreadable_file_gives_a_line_and_exit_code_1(run: Run, folder: Path) -> None:
    (folder / "broken.jpg").write_bytes(b"no photo")
    (folder / "empty.jpg").touch()
    done = run("predict", "--json", str(folder), "missing.jpg")
    assert done.returncode == 1
    errors = {Path(str(row["file"])).name: row["error"] for row in lines(done) if "error" in row}
    assert errors.keys() == {"broken.jpg", "empty.jpg", "missing.jpg"}
    assert "empty" in str(errors["empty.jpg"])
    assert "no such file" in str(errors["missing.jpg"])
    assert sum("prediction" in row for row in lines(done)) == 3


def test_one_line_is_printed_for_each_photo(run: Run, folder: Path) -> None:
    done = run("predict", str(folder / "a.jpg"))
    assert done.returncode == 0
    assert done.stdout.startswith(f"{folder / 'a.jpg'}: cat (")


def test_the_printed_line_names_a_doubt(run: Run, tmp_path: Path) -> None:
    import skimage.data

    small = Image.fromarray(skimage.data.chelsea()).resize((200, 133))
    wide = Image.new("RGB", (400, 400), "grey")
    wide.paste(small, (100, 130))
    found = set()
    (tmp_path / "fading").mkdir()
    for percent in (0, *range(60, 98, 3)):
        faded = Image.blend(wide, Image.new("RGB", wide.size, "grey"), percent / 100)
        faded.save(tmp_path / "fading" / f"{percent}.png")
    done, printed = run("predict", "fading", "--json"), run("predict", "fading")
    for row, line in zip(lines(done), printed.stdout.splitlines(), strict=True):
        endings = {None: ")", "unsure": "), unsure", "both": "), but there seem to be both a cat and a dog"}
        assert line.endswith(endings[row["doubt"]])
        found.add(row["doubt"])
    assert found > {None}, "a fading photo becomes doubtful at some point"


def test_an_empty_folder_is_a_failure(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = run("predict", "empty", "--json")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no files" in done.stderr


def test_without_a_photo_the_exit_code_is_2(run: Run) -> None:
    assert run("predict").returncode == 2


def test_a_wrong_setting_is_reported_in_one_sentence(run: Run, folder: Path) -> None:
    (folder.parent / ".env").write_text("MODEL_RUNTIME=torch\n")
    done = run("predict", str(folder))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("catsdogs: Setting MODEL_RUNTIME is wrong")
    assert len(done.stderr.splitlines()) == 1
