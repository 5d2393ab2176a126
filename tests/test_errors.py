from __future__ import annotations

import inspect
import pickle
import re

from catsdogs import errors


def test_the_tree_drawn_at_the_top_is_the_tree() -> None:
    drawn: dict[str, str] = {}
    path: list[str] = []
    for indent, name in re.findall(r"^    ([│├└─ ]*)([A-Z]\w+)", errors.__doc__ or "", re.MULTILINE):
        depth = len(indent) // 4
        path[depth:] = [name]
        drawn[name] = path[depth - 1] if depth else "Exception"
    real = {name: kind.__bases__[0].__name__ for name, kind in inspect.getmembers(errors, inspect.isclass)}
    assert drawn == real


def test_an_error_of_another_process_has_the_same_message() -> None:
    error = errors.InvalidInput("There is no {thing} of {n}.", thing="cat", n=3)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is errors.InvalidInput
    assert (str(again), again.message, again.values) == (str(error), error.message, error.values)
