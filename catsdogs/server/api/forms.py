"""How forms are read: nothing that a client sends is ignored without a word, a misspelt consent least of all."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from email.message import Message

from tornado.httputil import HTTPFile, HTTPHeaders, HTTPInputError, parse_body_arguments

from catsdogs.errors import InvalidInput
from catsdogs.i18n import N_

FILE = "file"
"""Name of the field that holds a photo; all other fields are text."""
_URLENCODED, _MULTIPART, _JSON = "application/x-www-form-urlencoded", "multipart/form-data", "application/json"


@dataclass(frozen=True)
class Form:
    """The fields of a form."""

    texts: dict[str, list[bytes]] = field(default_factory=dict)
    files: dict[str, list[HTTPFile]] = field(default_factory=dict)


def read_form(headers: HTTPHeaders, body: bytes, known: Collection[str], *, v2_compatible: bool = False) -> Form:
    """Read a form.

    Parameters
    ----------
    known
        Names of the fields that the form may have.
    v2_compatible
        Whether the form may be a JSON object, and have further fields, which are ignored.

    Raises
    ------
    InvalidInput
    """
    kind = _type_of_form(headers)
    if kind.startswith(_JSON) and v2_compatible:
        form = _read_json(body)
    elif kind.startswith((_URLENCODED, _MULTIPART)) or not body:
        form = Form()
        try:
            parse_body_arguments(kind, body, form.texts, form.files, headers)
        except HTTPInputError:
            raise InvalidInput(
                N_("The form cannot be read. Send multipart/form-data with its boundary, and file names in UTF-8.")
            ) from None
    else:
        raise InvalidInput(N_("Send the fields as a form: multipart/form-data or application/x-www-form-urlencoded."))
    _check(form, known, ignores_unknown=v2_compatible)
    return form


def _type_of_form(headers: HTTPHeaders) -> str:
    """Return the content type as Tornado reads it, which knows lower case only."""
    message = Message()
    message["Content-Type"] = headers.get("Content-Type", "")
    kind = message.get_content_type() if message["Content-Type"] else ""
    boundary = message.get_param("boundary")
    return f"{kind}; boundary={boundary}" if kind == _MULTIPART and isinstance(boundary, str) else kind


def _read_json(body: bytes) -> Form:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):  # the latter for lists in lists in lists
        fields = None
    if not isinstance(fields, dict) or any(isinstance(value, dict | list | float) for value in fields.values()):
        raise InvalidInput(N_("The JSON cannot be read. Send one object whose values are texts, integers or booleans."))
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
    return Form({name: [text.encode("utf-8", "replace")] for name, text in texts.items() if fields[name] is not None})


def _check(form: Form, known: Collection[str], *, ignores_unknown: bool) -> None:
    """Raise InvalidInput for fields that are unknown, sent twice, or a file where a text is expected."""
    unknown = {*form.texts, *form.files} - {*known}
    if unknown and not ignores_unknown:
        message = N_("There is no field {unknown}. There are: {names}.")
        raise InvalidInput(message, unknown=min(unknown)[:50], names=", ".join(known))
    for name in known:
        if len(form.texts.get(name, ())) + len(form.files.get(name, ())) > 1:
            raise InvalidInput(N_("The field {name} was sent more than once. Send it once."), name=name)
        if name in form.files and name != FILE:
            raise InvalidInput(N_("Send {name} as text, not as a file."), name=name)
