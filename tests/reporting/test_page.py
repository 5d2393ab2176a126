"""The HTML page of an executed notebook."""

from __future__ import annotations

import re

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from catsdogs.i18n import Translator
from catsdogs.reporting.page import PLOTLY_TYPE, render_page


def test_the_page_has_the_outputs_of_the_notebook_and_fetches_nothing() -> None:
    figure = {"data": [{"type": "bar", "y": [1, 2, 3]}], "layout": {}}
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# For the author"),
            new_code_cell(
                "secret = 'source code'",
                outputs=[
                    new_output("display_data", {"text/html": "<h1>Shown</h1>"}),
                    new_output("display_data", {PLOTLY_TYPE: figure}),
                    new_output("display_data", {PLOTLY_TYPE: figure}),
                    new_output("stream", name="stderr", text="a warning"),
                    new_output("display_data", {"text/html": "<p>The end</p>"}),
                ],
            ),
        ]
    )
    nbformat.validate(notebook)
    page = render_page(notebook, "<A & B>", Translator("fr"))
    assert '<html lang="fr">' in page
    assert "<title>&lt;A &amp; B&gt;</title>" in page
    assert page.index("<h1>Shown</h1>") < page.rindex("Plotly.newPlot(") < page.index("<p>The end</p>")
    assert page.count('<div class="figure">') == 2
    assert page.count('<div class="figures">') == 1
    assert page.count("plotly.js v") == 1
    assert not [word for word in ("source code", "a warning", "For the author") if word in page]
    markup = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"(src|href)\s*=", markup)
    assert not re.search(r"<script[^>]+src", page)
    assert "default-src 'none'" in markup
