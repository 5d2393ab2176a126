"""Scripts and style sheets of the widgets: in pages of our server, and elsewhere."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import catsdogs.widgets
from catsdogs.widgets.assets import PAGES, WIDGETS, module, page_script, page_style, script, style
from catsdogs.widgets.base import BaseWidget

STATIC = Path(catsdogs.widgets.__file__).parent / "static"


def test_every_script_and_style_sheet_is_in_the_files_of_a_page() -> None:
    assert {*WIDGETS} == {name for names in PAGES.values() for name in names} | {"photo_review"}, "JupyterLab's only"
    scripts = {path.stem for path in STATIC.glob("*.js")}
    assert {"base", *WIDGETS, *(name for names in WIDGETS.values() for name in names)} == scripts
    modules, styles = ("".join(map(joined, PAGES)) for joined in (page_script, page_style))
    for path in STATIC.iterdir():
        if path.stem != "photo_review":
            found = modules if path.suffix == ".js" else styles
            assert path.read_text(encoding="utf-8").splitlines()[0] in found, path.name


def test_a_page_has_the_scripts_and_style_sheets_of_its_own_widgets_only() -> None:
    """Two widgets that are never in one page may use the same class for different things."""
    visitors, operators = map(page_style, ("inference", "monitoring"))
    for name, here, there in (("answer_card", visitors, operators), ("controls", operators, visitors)):
        own = (STATIC / f"{name}.css").read_text(encoding="utf-8")
        assert (own in here, own in there) == (True, False)
    assert ["function answer_card()" in page_script(page) for page in ("inference", "monitoring")] == [True, False]
    assert visitors.count((STATIC / "base.css").read_text(encoding="utf-8")) == 1


def test_a_widget_has_its_whole_script_outside_of_our_server() -> None:
    for name, others in WIDGETS.items():
        own = script(name)
        assert own.endswith("export default { render };\n")
        positions = [own.index((STATIC / f"{one}.js").read_text(encoding="utf-8")) for one in ("base", *others, name)]
        assert positions == sorted(positions)
    assert "Plotly" in script("charts", before=lambda: "globalThis.Plotly = {};")
    assert ".cd-answer" in style("answer_card")


def test_a_module_holds_the_helpers_once() -> None:
    helpers = (STATIC / "base.js").read_text(encoding="utf-8")
    assert module("answer_card", "my_data").count(helpers) == page_script("inference").count(helpers) == 1


def test_every_widget_uses_a_listed_script() -> None:
    for found in pkgutil.iter_modules(catsdogs.widgets.__path__):
        importlib.import_module(f"catsdogs.widgets.{found.name}")
    modules = {script(name) for name in WIDGETS}
    pending, checked = [BaseWidget], 0
    while pending:
        for subclass in pending.pop().__subclasses__():
            pending.append(subclass)
            if not subclass.__module__.startswith("catsdogs.") or subclass.__name__ == "StatisticsCharts":
                continue  # a test's own, or the one with plotly.js before its script
            if "_esm" in vars(subclass):
                source = getattr(subclass._esm, "default_value", subclass._esm)  # a trait once there was an instance
                assert source in modules, subclass
                checked += 1
    assert checked >= len(WIDGETS)


def test_in_a_page_of_our_server_a_widget_names_the_script_of_the_page() -> None:
    code = "from catsdogs.widgets.answer_card import AnswerCard; print(AnswerCard._esm); print(AnswerCard._css)"
    environment = {"CATSDOGS_SERVICE_URL": "http://127.0.0.1:1", "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "export default () => catsdogs.answer_card();\n\n"
