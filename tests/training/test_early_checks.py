"""What is refused before a training begins: in one process, which must not load TensorFlow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from catsdogs.model.card import SHIPPED
from catsdogs.training.dataset import MIN_PHOTOS
from catsdogs.training.early_checks import name_sets

SCRIPT = """
import json, sys
from typer.testing import CliRunner
from catsdogs.cli.app import app
from catsdogs.errors import InvalidInput
from catsdogs.model.card import SHIPPED
from catsdogs.files import notebooks
errors = [str(CliRunner().invoke(app, ["train", *arguments]).exception) for arguments in json.loads(sys.argv[1])]

cells = json.loads((notebooks() / "jobs" / "train.ipynb").read_text())["cells"]
parameters, _, *others = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
for chosen in json.loads(sys.argv[2]):
    names = {}
    exec(parameters, names)
    names |= chosen
    try:
        for cell in others:
            exec(cell, names)
    except InvalidInput as error:
        errors.append(str(error))
print(json.dumps([errors, "tensorflow" in sys.modules or "keras" in sys.modules]))
"""


def test_what_would_fail_later_is_refused_before_tensorflow_loads(environment: dict[str, str], tmp_path: Path) -> None:
    for name, photos in (("enough", MIN_PHOTOS), ("few", MIN_PHOTOS - 1)):
        for label in ("cat", "dog"):
            (tmp_path / name / label).mkdir(parents=True)
            for number in range(photos):
                (tmp_path / name / label / f"{number}.jpg").touch()
    (tmp_path / "file").touch()
    (tmp_path / "DATA").symlink_to(environment["CATSDOGS_DATA_DIR"])
    (tmp_path / "out" / "taken").mkdir(parents=True)
    cases = {
        ("few",): "Photos in few/cat that can be used: 19. At least 20 are needed.",
        ("file",): "file is a file. Name a folder of photos.",
        ("enough", "--output", "out", "--version", "taken"): "There is a model version taken already.",
        ("enough", "--version", SHIPPED.name): f"There is a model version {SHIPPED.name} already.",
        ("enough", "--output", "DATA/models", "--version", SHIPPED.name): "There is a model version",
        ("enough", "--version", "../up"): "A version's name is made of letters",
        ("enough", "--output", "file"): "The model cannot be written to file: File exists.",
        ("enough", "--output", "file/models"): "The model cannot be written to file/models: Not a directory.",
        ("enough", "--validate", "nowhere"): "There is no folder",
        ("enough", "--others", "file"): "The folder file is missing or holds no photos.",
    }
    of_notebook = [
        ({"photos": "few"}, cases["few",]),
        ({"photos": "enough", "version": SHIPPED.name}, f"There is a model version {SHIPPED.name} already."),
    ]
    parameters = [chosen for chosen, _ in of_notebook]
    command = [sys.executable, "-c", SCRIPT, json.dumps(list(cases)), json.dumps(parameters)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    errors, loaded = json.loads(done.stdout)
    assert not loaded
    for error, expected in zip(errors, [*cases.values(), *(expected for _, expected in of_notebook)], strict=True):
        assert error.startswith(expected)


def test_two_folders_of_one_name_are_two_sets() -> None:
    folders = [Path(name) for name in ("/a/x/val", "/b/x/val", "/b/test", "/b/x/val")]
    assert list(name_sets(folders)) == ["a/x/val", "b/x/val", "test"]
