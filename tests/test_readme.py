"""What the README names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from catsdogs.cli.app import app
from catsdogs.model.card import SHIPPED, read_card
from catsdogs.server.api import openapi
from catsdogs.settings import Settings

REPOSITORY = Path(__file__).parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")


def named(pattern: str) -> list[str]:
    found = sorted(set(re.findall(pattern, README)))
    assert found, pattern
    return found


@pytest.mark.parametrize("command", named(r"\bcatsdogs ((?:db |privacy |model )?[a-z]+)(?= [A-Za-z-]| +#|`)"))
def test_commands_exist(command: str) -> None:
    node = typer.main.get_command(app)
    for word in command.split():
        commands = getattr(node, "commands", {})
        assert word in commands
        node = commands[word]


@pytest.mark.parametrize("task", named(r"\bmake ([a-z]+)\b(?=`| +#|\n| FOLDER)"))
def test_tasks_exist(task: str) -> None:
    assert re.search(rf"^{task}:.* ## ", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize("path", named(r"\]\(([^)#:]+)\)"))
def test_linked_files_exist(path: str) -> None:
    assert (REPOSITORY / path).exists()


@pytest.mark.parametrize("setting", named(r"`((?:CATSDOGS|DB)_[A-Z_]+)`"))
def test_settings_exist(setting: str) -> None:
    ours = {str(field.validation_alias or name).upper() for name, field in Settings.model_fields.items()}
    assert setting in ours | {"CATSDOGS_TEST_BROWSER", "CATSDOGS_TEST_PHOTOS"}


@pytest.mark.parametrize("route", named(r"http://127\.0\.0\.1:8866(/(?:api/)?[a-z-]+)"))
def test_routes_are_described(route: str) -> None:
    assert route in openapi.description()["paths"]


def test_the_models_figures_are_those_of_its_card() -> None:
    metrics = read_card(SHIPPED).metrics
    words = " ".join(README.split())
    assert f"it took {metrics['val'].errors} for the other animal and declined {metrics['val'].refused}" in words
    others = metrics["neither"].errors + metrics["neither_web"].errors
    assert (
        f"of {metrics['neither'].n + metrics['neither_web'].n} photos of other things, it took {others} for a pet"
        in words
    )
