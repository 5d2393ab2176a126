"""Parameters of the notebooks that papermill runs: it hands over whatever it is given, of any name and kind."""

from __future__ import annotations

import ast
from typing import Annotated, Any

from IPython.core.getipython import get_ipython
from pydantic import Field, TypeAdapter, ValidationError

from catsdogs.errors import InvalidInput
from catsdogs.i18n import N_

Given = Annotated[str, Field(min_length=1)]
"""Text that has no default."""

_INJECTED = "# Parameters"
"""What papermill begins the cell with that it adds."""
_WRONG = {
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
        The parameters' names and types: `str`, `Given`, `bool`, ``list[str]``.

    Raises
    ------
    InvalidInput
        One is of another type, or there is one of another name.
    """
    shell = get_ipython()
    assert shell is not None, "only notebooks have such parameters"
    unknown = _injected(shell.user_ns["In"]) - kinds.keys()
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
            [wrong, *_] = error.errors(include_url=False)
            sentence = _WRONG[wrong["type"]]
            raise InvalidInput(sentence, name=name, value=repr(wrong["input"])) from None


def _injected(cells: list[str]) -> set[str]:
    """Name what papermill sets, in the cell that it adds before the one that runs now."""
    before = cells[-2] if len(cells) > 1 else ""
    if not before.startswith(_INJECTED):
        return set()
    targets = [target for node in ast.parse(before).body if isinstance(node, ast.Assign) for target in node.targets]
    return {target.id for target in targets if isinstance(target, ast.Name)}
