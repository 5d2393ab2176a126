"""Check of the parameters of notebooks that papermill runs: papermill itself accepts any name and type."""

from __future__ import annotations

import ast
from typing import Annotated, Any

from IPython.core.getipython import get_ipython
from pydantic import Field, TypeAdapter, ValidationError

from catsdogs.errors import InvalidInput
from catsdogs.i18n import N_

RequiredText = Annotated[str, Field(min_length=1)]
"""Type of a text that must be given: it has no default."""

_INJECTED_CELL_START = "# Parameters"
"""First line of the cell that papermill adds."""
_MESSAGES = {
    "string_type": N_("{name} must be text, not {value}. Papermill takes it for text with -r."),
    "string_too_short": N_("{name} must be given."),
    "bool_type": N_("{name} must be True or False, not {value}."),
    "list_type": N_("{name} must be a list, not {value}. Papermill takes one with -y."),
}


def check_parameters(**kinds: Any) -> None:
    """Check the parameters of the notebook that calls this, in the cell after the one tagged ``parameters``.

    Parameters
    ----------
    kinds
        The parameters' names and types: `str`, `RequiredText`, `bool`, ``list[str]``.

    Raises
    ------
    InvalidInput
        A parameter is of another type, or has an unknown name.
    """
    shell = get_ipython()
    assert shell is not None, "only notebooks have such parameters"
    unknown = _injected_names(shell.user_ns["In"]) - kinds.keys()
    if unknown:
        raise InvalidInput(
            "There is no parameter {unknown}. There are: {names}.",
            unknown=", ".join(sorted(unknown)),
            names=", ".join(kinds),
        )
    for name, kind in kinds.items():
        try:
            TypeAdapter(kind).validate_python(shell.user_ns[name], strict=True)
        except ValidationError as error:
            [first, *_] = error.errors(include_url=False)
            message = _MESSAGES[first["type"]]
            raise InvalidInput(message, name=name, value=repr(first["input"])) from None


def _injected_names(cells: list[str]) -> set[str]:
    """Return the names that papermill sets, in the cell that it adds before the one that runs now."""
    before = cells[-2] if len(cells) > 1 else ""
    if not before.startswith(_INJECTED_CELL_START):
        return set()
    targets = [target for node in ast.parse(before).body if isinstance(node, ast.Assign) for target in node.targets]
    return {target.id for target in targets if isinstance(target, ast.Name)}
