"""Names and statements in README, CONTRIBUTING and SECURITY agree with the code."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from itertools import product
from pathlib import Path

import pytest
import typer

from catsdogs.cli.app import app
from catsdogs.model.card import SHIPPED, read_card
from catsdogs.model.photo_limits import (
    FORMATS,
    MAX_AVIF_MEGAPIXELS,
    MAX_DEEP_TIFF_MEGABYTES,
    MAX_HEIC_MEGAPIXELS,
    MAX_JPEG_MEGAPIXELS,
    MAX_MEGABYTES,
    MAX_MEGAPIXELS,
    MAX_WEBP_MEGAPIXELS,
)
from catsdogs.server.api import openapi
from catsdogs.server.configuration import voila_config
from catsdogs.server.kernels.base import AppKernelManager
from catsdogs.settings import Settings
from tests import reference
from tests.messages import extract

REPOSITORY = Path(__file__).parent.parent
PACKAGE = REPOSITORY / "catsdogs"
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
GUIDES = {path.name: path.read_text(encoding="utf-8") for path in (REPOSITORY / ".github").rglob("*.md")}


def named(pattern: str, text: str = README) -> list[str]:
    found = sorted(set(re.findall(pattern, text)))
    assert found, pattern
    return found


CODE = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL) + re.findall(r"`(catsdogs [^`]+)`", README))


@pytest.mark.parametrize("command", named(r"(?m)^catsdogs ((?:db |privacy |model |alerts )?[a-z]+)(?= |$)", CODE))
def test_commands_exist(command: str) -> None:
    node = typer.main.get_command(app)
    for word in command.split():
        commands = getattr(node, "commands", {})
        assert word in commands
        node = commands[word]


def test_the_time_limits_of_sessions_are_those_of_the_configuration() -> None:
    limits = voila_config(Settings(_env_file=None)).AppKernelManager
    more = (limits.disconnected_timeout - limits.cull_idle_timeout) // 60
    assert f"finds its session again for {more} minutes more" in " ".join(README.split())
    assert f"has a session for {AppKernelManager.unclaimed_timeout.default_value} seconds" in " ".join(README.split())
    assert AppKernelManager.away_timeout.default_value == 60, "README says: after a minute at the earliest"
    assert f"{more} minutes more" in (REPOSITORY / ".env.example").read_text(encoding="utf-8")


@pytest.mark.parametrize("task", named(r"\bmake ([a-z]+)\b(?=`| +#|\n| FOLDER)"))
def test_tasks_exist(task: str) -> None:
    assert re.search(rf"^{task}:.* ## ", MAKEFILE, re.MULTILINE)


def anchors(text: str) -> set[str]:
    titles = re.findall(r"^##+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize(
    "name", ["README.md", *(f".github/docs/{path.name}" for path in reference.FOLDER.glob("*.md"))]
)
def test_documents_link_to_what_exists(name: str) -> None:
    page = REPOSITORY / name
    for path, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text(encoding="utf-8")):
        target = page.parent / path if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), anchor


@pytest.mark.parametrize("name", reference.PAGES)
def test_the_reference_is_that_of_the_code(name: str) -> None:
    assert GUIDES[name] == reference.page(name), "run: make reference"


def test_the_address_of_the_repository_is_that_of_pyproject() -> None:
    """Whoever publishes replaces OWNER everywhere, and a place that was forgotten is found."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    [address] = {url.split("/catsdogs")[0] for url in project["project"]["urls"].values()}
    owner = address.removeprefix("https://github.com/")
    texts = [README, *GUIDES.values(), (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")]
    found = re.findall(
        r"(?:github\.com|githubusercontent\.com|mybinder\.org/v2/gh)/([\w-]+)/catsdogs", "\n".join(texts)
    )
    assert set(found) == {owner}


@pytest.mark.parametrize(
    "path", named(r"`((?:catsdogs|tests|notebooks)/[\w./]*)`", "\n".join([README, *GUIDES.values()]))
)
def test_named_files_exist(path: str) -> None:
    assert (REPOSITORY / path).exists()


def test_the_contents_lead_to_every_section() -> None:
    contents, _, sections = README.partition("## Who uses what")
    links = set(re.findall(r"\]\(#([^)]+)\)", README))
    assert links <= anchors(f"## Who uses what{sections}")
    top = {
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^## (.+)$", sections, re.M)
    }
    assert top <= set(re.findall(r"\]\(#([^)]+)\)", contents))


@pytest.mark.parametrize("setting", named(r"`((?:CATSDOGS|DB)_[A-Z_]+[A-Z])`", README + GUIDES["CONTRIBUTING.md"]))
def test_settings_exist(setting: str) -> None:
    ours = {str(field.validation_alias or name).upper() for name, field in Settings.model_fields.items()}
    of_tests = {"TEST_BENCHMARKS", "TEST_BROWSER", "TEST_PHOTOS", "REQUIRE_BROWSERS"}
    assert setting in ours | {f"CATSDOGS_{name}" for name in of_tests}


@pytest.mark.parametrize("route", named(r"http://127\.0\.0\.1:8866(/(?:api/)?[a-z-]+)"))
def test_routes_are_described(route: str) -> None:
    assert route in openapi.description()["paths"]


def test_the_sample_answer_has_the_fields_of_the_route() -> None:
    [sample] = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    operation = openapi.description()["paths"]["/api/predict"]["post"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    if "$ref" in schema:
        schema = openapi.description()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    assert json.loads(sample).keys() == schema["properties"].keys()


def test_the_sentences_of_troubleshooting_are_those_of_the_code() -> None:
    [table] = re.findall(r"## Troubleshooting\n\n\| message .*?\n\|---.*?\n(.*?)\n\n", README, re.DOTALL)
    sentences = [row.split("|")[1].strip() for row in table.splitlines()]
    texts = [str(message.id) for message in extract() if message.id] + [MAKEFILE]
    assert [sentence for sentence in sentences if not any(sentence in text for text in texts)] == []


def test_contributing_lists_every_module() -> None:
    guide = GUIDES["CONTRIBUTING.md"]
    modules = [path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py")]
    wanted = [path for path in modules if not path.name.startswith("__") and "migrations/" not in f"{path}"]
    assert len(wanted) > 100
    listed = set(re.findall(r"`([^`\n]+)`", guide.replace("```", "")))
    assert [path for path in wanted if not {str(path), "/".join(path.parts[1:])} & listed] == []


def test_the_limits_of_photos_are_those_of_the_code() -> None:
    text = " ".join(README.split())
    limits = f"at most {MAX_MEGABYTES} MB and {MAX_MEGAPIXELS} megapixels. "
    assert f"{limits}Only a baseline JPEG may have more: {MAX_JPEG_MEGAPIXELS} megapixels." in text
    assert f"Photos are {FORMATS} files." in text
    assert f"A HEIC has at most {MAX_HEIC_MEGAPIXELS} megapixels, and a WebP or an AVIF {MAX_AVIF_MEGAPIXELS}," in text
    assert MAX_WEBP_MEGAPIXELS == MAX_AVIF_MEGAPIXELS
    assert f"at most {MAX_DEEP_TIFF_MEGABYTES} MB of pixels, such as {MAX_DEEP_TIFF_MEGABYTES // 6} megapixels" in text


def imports() -> set[tuple[str, str]]:
    """Return the pairs of packages of which the first imports the second."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        package = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("catsdogs"):
                parts = str(node.module).split(".")
                names = [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
                found |= {(package, name) for name in names if name != package}
    return found


def test_the_picture_of_the_architecture_is_true() -> None:
    [picture] = re.findall(r"```mermaid\nflowchart TD\n(.*?)```", README, re.DOTALL)
    arrows = set()
    for line in picture.splitlines():
        start, _, end = line.strip().partition(" --> ")
        arrows |= set(product(start.split(" & "), end.split(" & ")))
    assert arrows <= imports()
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")} - {"samples", "domain"}  # plain data
    assert packages == {name for arrow in arrows for name in arrow}
    assert packages == set(re.findall(r"^\| `catsdogs/(\w+)` \|", README, re.MULTILINE))


def test_the_models_figures_are_those_of_its_card() -> None:
    card = read_card(SHIPPED)
    val, accepted = card.metrics["val"], card.held_out_accepted
    text = " ".join(README.split())
    assert f"gave {val.errors} wrong answers and refused {val.refused}" in text
    assert accepted
    assert f"The gate knows {accepted.n} photos of other things." in text
    assert f"{accepted.cases} of them are taken for pets" in text
