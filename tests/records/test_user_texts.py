import pytest

from catsdogs.records.user_texts import receipt_symbols, storable


@pytest.mark.parametrize(
    ("text", "stored"),
    [("é \N{CAT FACE}", "é \N{CAT FACE}"), ("a\0b", "ab"), ("half of a cat: \ud83d", "half of a cat: ?")],
)
def test_a_text_is_made_storable(text: str, stored: str) -> None:
    assert storable(text) == stored


@pytest.mark.parametrize("typed", ["0123-ABCD", " 0123 abcd\n", "o1-23abCD", "OL23ABCD", "oI23abcd"])
def test_a_receipt_code_is_read_however_it_is_typed(typed: str) -> None:
    assert receipt_symbols(typed) == "0123ABCD"
