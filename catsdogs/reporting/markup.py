"""The HTML elements that a report consists of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from IPython.display import HTML


def heading(text: str) -> str:
    """Return a heading of a section."""
    return f"<h2>{escape(text)}</h2>"


def sentence_list(sentences: Iterable[str]) -> str:
    """Return a list with one item for each sentence."""
    return f'<ul class="words">{"".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)}</ul>'


def table(columns: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; the first cell of each row is its header."""
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in columns)
    body = "".join(
        f"<tr><th scope='row'>{escape(first)}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in rest)}</tr>"
        for first, *rest in rows
    )
    # the box can be scrolled, also with the keyboard, where the table is wider than the window
    return f"<div class='box' tabindex='0'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def html(markup: str) -> HTML:
    """Wrap markup, so that a notebook displays it."""
    return HTML(markup)  # type: ignore[no-untyped-call]  # IPython's has no types
