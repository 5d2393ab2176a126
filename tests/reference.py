"""Write the reference pages of ``.github/docs`` from the code: ``make reference``.

Settings come from ``.env.example`` and their model, commands from Typer, and routes from the OpenAPI description.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import typer

import catsdogs.cli  # registers the commands
from catsdogs.cli.app import app
from catsdogs.server.api import openapi
from catsdogs.settings import Settings

assert catsdogs.cli
REPOSITORY = Path(__file__).parent.parent
FOLDER = REPOSITORY / ".github" / "docs"
MADE = "<!-- Made by `make reference` (tests/reference.py): change the code instead. -->\n"


def row(*cells: str) -> str:
    """Return a row of a table."""
    return f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in cells)} |"


def head(*titles: str) -> list[str]:
    """Return the first lines of a table, after an empty one."""
    return ["", row(*titles), "|" + "---|" * len(titles)]


def settings() -> Iterator[str]:
    """Yield the lines of the page of settings."""
    yield "# Settings\n"
    yield MADE
    yield "Set them in `.env`, or in the environment, which has priority. Settings in one row belong together."
    values = {name.upper(): schema for name, schema in Settings.model_json_schema()["properties"].items()}
    example = (REPOSITORY / ".env.example").read_text(encoding="utf-8")
    for title, part in re.findall(r"^# --- (.+?) -+\n(.*?)(?=^# ---|\Z)", example, re.MULTILINE | re.DOTALL):
        yield f"\n## {title}"
        yield from head("setting, and its default", "value", "meaning")
        comment: list[str] = []
        for is_comment, group in groupby(part.strip().splitlines(), key=lambda line: line.startswith("# ")):
            if is_comment:
                comment = [line.removeprefix("# ") for line in group]
                continue
            names = [re.findall("[A-Z][A-Z0-9_]+(?==)", line)[0] for line in group if "=" in line]
            defaults = [values[name].get("default") for name in names]
            shown = [
                f"`{name}`" if default in (None, "") else f"`{name}={default}`"
                for name, default in zip(names, defaults, strict=True)
            ]
            kinds = [value(values[name]) for name in names]
            yield row("<br>".join(shown), "<br>".join(kinds), " ".join(comment).replace("<", "&lt;"))


def value(schema: dict[str, Any]) -> str:
    """Say what a setting may be."""
    one: dict[str, Any] = next((kind for kind in schema.get("anyOf", [schema]) if kind["type"] != "null"), schema)
    if "enum" in one:
        return ", ".join(one["enum"])
    word = {"boolean": "True or False", "integer": "integer", "path": "path", "password": "secret text"}
    text = word.get(one.get("format", one["type"]), "text")
    least, most = one.get("minimum"), one.get("maximum")
    if least is not None:
        text += f", {least} to {most}" if most is not None else f", at least {least}"
    if "minLength" in one and one.get("format") == "password":
        text += f", at least {one['minLength']} characters"
    return text


def commands() -> Iterator[str]:
    """Yield the lines of the page of commands."""
    yield "# Commands\n"
    yield MADE
    yield "`catsdogs COMMAND --help` says the same. The [README](../../README.md#commands) has examples and exit codes."
    yield from command(typer.main.get_command(app), "catsdogs")


def command(node: Any, name: str) -> Iterator[str]:
    """Yield the section of a command, and those of the commands in it."""
    arguments = [one for one in node.params if one.param_type_name == "argument"]
    options = [one for one in node.params if one.param_type_name == "option" and one.name != "help"]
    usage = [name, *(["[OPTIONS]"] if options else []), *(["COMMAND"] if getattr(node, "commands", None) else [])]
    usage += [f"{one.name.upper()}{'...' if one.nargs != 1 else ''}" for one in arguments]
    yield f"\n## {name}\n\n```sh\n{' '.join(usage)}\n```\n"
    yield "\n\n".join(" ".join(text.split()) for text in (node.help or "").split("\n\n"))
    if arguments or options:
        yield from head("argument or option", "default", "meaning")
    for one in arguments:
        yield row(f"`{one.name.upper()}`", "needed" if one.required else "", one.help or "")
    for one in options:
        names = [f"`{text}`" for text in [*one.opts, *one.secondary_opts]]
        default = "" if one.default in (None, "", [], False) else f"`{one.default}`"
        yield row(", ".join(names), default, one.help or "")
    for child, inner in sorted(getattr(node, "commands", {}).items()):
        yield from command(inner, f"{name} {child}")


def routes() -> Iterator[str]:
    """Yield the lines of the page of the REST API."""
    described = openapi.description()
    schemas = described["components"]["schemas"]
    yield "# REST API\n"
    yield MADE
    yield "A running server shows the same at `/docs`, with examples, and as OpenAPI 3.1 at `/openapi.json`. The"
    yield "[README](../../README.md#programs-the-rest-api) has examples with curl.\n"
    yield openapi.ABOUT
    for tag in described["tags"]:
        yield f"\n## {tag['name']}\n\n{tag['description']}"
        for path, operations in described["paths"].items():
            for method, one in operations.items():
                if tag["name"] in one["tags"]:
                    yield from route(f"{method.upper()} {path}", one, schemas)
    yield "\n## Types"
    inputs = {name for name in schemas if name.endswith(("Fields", "Multipart"))}
    for name, schema in schemas.items():
        if name not in inputs and "properties" in schema:
            yield f"\n### {name}"
            yield from fields("field", schema)


def route(title: str, one: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
    """Yield the section of a route."""
    yield f"\n### `{title}`\n\n{one['summary']}.{'' if one['security'] else ' No token is needed.'}"
    parameters = [parameter for parameter in one.get("parameters", []) if parameter["name"] != "lang"]
    if parameters:
        yield from head("parameter", "type", "meaning")
    for parameter in parameters:
        yield row(f"`{parameter['name']}`", openapi.type_of(parameter["schema"]), parameter["description"])
    if "requestBody" in one:
        form = next(iter(one["requestBody"]["content"].values()))["schema"]
        yield from fields("field of the form", schemas[openapi.type_of(form)])
    [(kind, content)] = one["responses"]["200"]["content"].items()
    answer = openapi.type_of(content["schema"])
    linked = f"[{answer}](#{answer.lower()})" if answer in schemas else f"{answer} ({kind})"
    errors = ", ".join(status for status in one["responses"] if status != "200")
    yield f"\nAnswer: {linked}.{f' Errors: {errors}.' if errors else ''}"


def fields(title: str, schema: dict[str, Any]) -> Iterator[str]:
    """Yield the table of the fields of a form or an answer."""
    yield from head(title, "type", "meaning")
    for name, field in schema["properties"].items():
        yield row(f"`{name}`", openapi.type_of(field), field.get("description", ""))


PAGES = {"SETTINGS.md": settings, "COMMANDS.md": commands, "REST.md": routes}


def page(name: str) -> str:
    """Return the text of a page."""
    return "\n".join(PAGES[name]()).replace("\n\n\n", "\n\n").rstrip() + "\n"


if __name__ == "__main__":
    for name in PAGES:
        (FOLDER / name).write_text(page(name), encoding="utf-8")
