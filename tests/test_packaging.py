"""Locks, environment and settings file agree with the package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, metadata, packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.utils import canonicalize_name

from catsdogs.settings import Settings
from tests import conda_environment

REPOSITORY = Path(__file__).parent.parent
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
LOCKS = ["requirements.lock", "requirements-report.lock", "requirements-dev.lock", "requirements-rivals.lock"]


def read(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def test_conda_installs_the_locked_versions() -> None:
    assert read("environment.yml") == conda_environment.text(), "run: make lock"
    assert read("binder/environment.yml") == read("environment.yml")
    assert {*conda_environment.CONDA_NAMES, *conda_environment.FROM_PYPI} <= {*conda_environment.wanted()}


@pytest.mark.parametrize("name", LOCKS)
def test_lock_file_has_a_hash_for_each_package_and_no_index_address(name: str) -> None:
    text = read(name)
    packages = re.findall(r"^(?=\w)[^\n]*\\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", text, re.MULTILINE)
    assert len(packages) == len(re.findall(r"^\w", text, re.MULTILINE)) > 5
    assert not re.search(r"https?://|--index|--find-links", text)


def test_serving_installs_nothing_for_training_notebooks_or_reports() -> None:
    others = "tensorflow|keras|torch|jupyterlab|pandas|papermill|debugpy|jedi|widgetsnbextension"
    assert not re.search(rf"^({others})==", read("requirements.lock"), re.MULTILINE)


def test_the_locks_agree() -> None:
    pin = re.compile(r"^(\S+==\S+)(?:.*) \\$", re.MULTILINE)
    serving, reports, everything = (
        set(pin.findall(read(f"requirements{name}.lock"))) for name in ("", "-report", "-dev")
    )
    assert serving | reports <= everything
    assert not serving & reports


def test_serving_imports_locked_packages_only() -> None:
    """All modules but those of extras are imported where nothing else can be, and a kernel's with them."""
    locked = {canonicalize_name(name) for name in re.findall(r"^([^\s=]+)==", read("requirements.lock"), re.MULTILINE)}
    others = sorted(
        module
        for module, names in packages_distributions().items()
        if not {canonicalize_name(name) for name in names} & (locked | {"catsdogs", "pip"})
    )
    script = f"""
import sys
sys.modules.update(dict.fromkeys({others}))
import importlib, pkgutil, catsdogs
extras = "batch reporting.build monitoring.dataframes training database.migrations server.deploy __main__".split()
for module in pkgutil.walk_packages(catsdogs.__path__, "catsdogs."):
    if not module.name.startswith(tuple(f"catsdogs.{{name}}" for name in extras)):
        importlib.import_module(module.name)
import ipykernel.kernelapp, voila.execute, voila.exporter
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


FREE = re.compile(r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|Zlib|CC0|Unlicense|MPL|Mozilla|LGPL")
"""Words of the licences under which a package may be installed beside ours, which is MIT: all but the LGPL and MPL ask
for a notice only, and these two for nothing more while the package is unchanged."""


def test_serving_installs_packages_under_free_licences_only() -> None:
    for name in re.findall(r"^([^\s=]+)==", read("requirements.lock") + read("requirements-report.lock"), re.MULTILINE):
        with suppress(PackageNotFoundError):  # of another system
            about = metadata(name)
            classifiers = [text for text in about.get_all("Classifier", []) if text.startswith("License ::")]
            stated = about.get_all("License-Expression", []) + classifiers
            licence = " ".join(stated or about.get_all("License", []))
            assert FREE.search(licence), (name, licence)
            assert not re.search(r"AGPL|(?<!L)GPL|Affero", licence), (name, licence)


def build(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "hatchling", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("commands", "version"),
    [
        pytest.param([], r"1\.0\.1\.dev0", id="without git"),
        pytest.param(["init", "add .", "commit"], r"1\.0\.1\.dev1\+g[0-9a-f]+", id="no tag"),
        pytest.param(["init", "add .", "commit", "tag v2.3.0"], r"2\.3\.0", id="a tag"),
        pytest.param(
            ["init", "add .", "commit", "tag v2.3.0", "commit"], r"2\.3\.1\.dev1\+g[0-9a-f]+", id="after a tag"
        ),
    ],
)
def test_the_version_comes_from_git(tmp_path: Path, commands: list[str], version: str) -> None:
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, tmp_path)
    person = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    for command in commands:
        more = ["--quiet", "--allow-empty", "--message=test"] if command == "commit" else []
        subprocess.run(["git", *person, *command.split(), *more], cwd=tmp_path, check=True, capture_output=True)
    assert re.fullmatch(version, build(tmp_path, "version").strip())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    folder = tmp_path_factory.mktemp("wheel")
    build(REPOSITORY, "build", "--target", "wheel", "--directory", str(folder))
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        yield archive


def test_the_wheel_holds_what_serving_needs_and_the_licences(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert not [name for name in names if name.endswith(".keras")]
    assert [name for name in names if name.endswith("model.onnx")]
    assert "catsdogs/notebooks/apps/predict.ipynb" in names
    licences = {Path(name).name for name in names if ".dist-info/licenses/" in name}
    assert licences == {"LICENSE", "Apache-2.0.txt", "NOTICE.md", "front_end.LICENSES.txt"}


def test_all_links_of_the_published_readme_are_absolute(wheel: zipfile.ZipFile) -> None:
    [metadata] = [name for name in wheel.namelist() if name.endswith("/METADATA")]
    text = wheel.read(metadata).decode()
    published, written = (len(re.findall(r"\]\([^)#]", page)) for page in (text, read("README.md")))
    assert published == written > 10
    assert not re.findall(r"\]\((?!https?:|#)[^)]*\)", text)
    assert f"Project-URL: Repository, {PROJECT['urls']['Repository']}\n" in text


def test_the_notice_names_every_sample() -> None:
    listed = read("catsdogs/samples/README.md")
    assert all(f"`{photo.name}`" in listed for photo in (REPOSITORY / "catsdogs/samples").glob("*.jpg"))


def test_workflows_are_pinned_and_have_few_rights() -> None:
    for path in (REPOSITORY / ".github/workflows").glob("*.yml"):
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert workflow["permissions"] == {}, path.name
        for job in workflow["jobs"].values():
            assert job["permissions"]
            assert job["timeout-minutes"] <= 45
            for step in job["steps"]:
                assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step.get("uses", "a@" + "0" * 40))


def test_every_setting_is_documented_and_no_other() -> None:
    names = {str(field.validation_alias or name).upper() for name, field in Settings.model_fields.items()}
    assert set(re.findall(r"^#?([A-Z0-9_]+)=", read(".env.example"), re.MULTILINE)) == names


def test_env_example_gives_the_defaults() -> None:
    for name, field in Settings.model_fields.items():
        key = str(field.validation_alias or name).upper()
        stated = re.search(rf"^#?{key}=(.*)$", read(".env.example"), re.MULTILINE)
        assert stated
        if field.default is not None:
            assert stated[1] == str(field.default), key


@pytest.mark.parametrize(
    ("code", "most_modules"),
    [
        pytest.param("import catsdogs", 230, id="the package"),
        pytest.param(
            "from catsdogs.cli import main; sys.argv = ['catsdogs', '--version']; main()", 480, id="--version"
        ),
    ],
)
def test_what_is_imported_at_the_start(code: str, most_modules: int) -> None:
    """The bounds are a fifth above what was counted with Python 3.11: modules, as times differ between machines."""
    heavy = ["tensorflow", "onnxruntime", "psycopg2", "sqlalchemy", "numpy", "pandas", "PIL", "tornado", "plotly"]
    script = f"""
import atexit, sys
atexit.register(lambda: print(len(sys.modules), *(name for name in {heavy} if name in sys.modules), file=sys.stderr))
{code}
"""
    alone = {name: text for name, text in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=alone)
    n_modules, *found = done.stderr.split()
    assert found == []
    assert int(n_modules) <= most_modules


DEPLOY = REPOSITORY / "catsdogs/server/deploy"


def test_compose_names_settings_and_files_that_exist() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    settings = {str(field.validation_alias or name).upper() for name, field in Settings.model_fields.items()}
    server = compose["services"]["catsdogs"]
    assert server["environment"].keys() <= settings
    assert server["read_only"]
    assert len(server["volumes"]) == 1
    assert (DEPLOY / server["build"]["context"] / server["build"]["dockerfile"]).exists()
    for service in compose["services"].values():
        mounted = [volume.split(":")[0] for volume in service["volumes"]]
        assert all((DEPLOY / name).is_file() for name in mounted if name.startswith("."))
        assert {name for name in mounted if not name.startswith(".")} <= compose["volumes"].keys()
        assert {one["source"] for one in service.get("configs", [])} <= compose["configs"].keys()
    prometheus = yaml.safe_load(compose["configs"]["prometheus"]["content"])
    [job] = prometheus["scrape_configs"]
    assert f'up{{job="{job["job_name"]}"}}' in (DEPLOY / prometheus["rule_files"][0]).read_text(encoding="utf-8")


def test_the_image_is_built_from_files_that_exist_and_are_not_ignored() -> None:
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").split("\n")
    for names in re.findall(r"^COPY (?!--from)(?:--\S+ )?(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE):
        for name in names.split():
            assert (REPOSITORY / name).exists(), name
            assert f"!{name.split('/')[0]}" in ignored


def test_the_container_names_an_unknown_user(tmp_path: Path) -> None:
    script = (DEPLOY / "entrypoint.sh").read_text(encoding="utf-8").replace("/data/", f"{tmp_path}/")
    show = ["sh", "-c", script, "entrypoint.sh", "sh", "-c", "echo $NSS_WRAPPER_PASSWD"]
    (tmp_path / "id").write_text("#!/bin/sh\necho 54321\n")
    (tmp_path / "id").chmod(0o755)
    for path, output in ((os.environ["PATH"], "\n"), (f"{tmp_path}:{os.environ['PATH']}", f"{tmp_path}/.passwd\n")):
        done = subprocess.run(show, env={"PATH": path}, capture_output=True, text=True, check=True)
        assert done.stdout == output
    assert (tmp_path / ".passwd").read_text() == "catsdogs:x:54321:0::/data:/usr/sbin/nologin\n"
