"""A set of photos is known again by contents and labels."""

from __future__ import annotations

from pathlib import Path

from catsdogs.domain import Answer
from catsdogs.model.fingerprint import fingerprint_files


def test_names_do_not_matter_and_contents_and_labels_do(tmp_path: Path) -> None:
    for name, content in (("a", b"1"), ("b", b"2"), ("c", b"1"), ("d", b"2"), ("e", b"3")):
        (tmp_path / name).write_bytes(content)
    a, b, c, d, e = (tmp_path / name for name in "abcde")
    first = fingerprint_files({a: Answer.CAT, b: Answer.DOG})
    assert fingerprint_files({d: Answer.DOG, c: Answer.CAT}) == first
    for other in (
        {a: Answer.DOG, b: Answer.CAT},
        {a: Answer.CAT, e: Answer.DOG},
        {a: Answer.CAT},
        {a: Answer.CAT, b: Answer.DOG, c: Answer.CAT},
    ):
        assert fingerprint_files(other) != first
