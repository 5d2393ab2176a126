"""Receipt codes: made at random, and checked where a client chose one."""

import re

import pytest

from catsdogs.domain import RECEIPT_PATTERN, check_new_receipt, new_receipt
from catsdogs.errors import InvalidInput
from catsdogs.records.user_texts import receipt_symbols


def test_a_new_receipt_is_random_and_valid() -> None:
    codes = {new_receipt() for _ in range(1000)}
    assert len(codes) == 1000
    for code in codes:
        assert re.fullmatch(RECEIPT_PATTERN, code)
        check_new_receipt(code)
        assert receipt_symbols(code) == code.replace("-", "")


@pytest.mark.parametrize(
    "code",
    [
        "",
        "mine",
        "0123-ABCD",
        "7Q2M-X4KD-9TBN-0VJ5-HRW8-CE3F-PG6I",  # a letter that is in no code
        "7q2m-x4kd-9tbn-0vj5-hrw8-ce3f-pg6a",
        "7Q2MX4KD9TBN0VJ5HRW8CE3FPG6A",
        "7Q2M-X4KD-9TBN-0VJ5-HRW8-CE3F-PG6A\n",
        "7Q2M-X4KD-9TBN-0VJ5-HRW8-CE3F-PG6A-PG6A",
        "0000-0000-0000-0000-0000-0000-0000",
        "1234-1234-1234-1234-1234-1234-1234",
        "ABCD-EFGA-BCDE-FGAB-CDEF-GABC-DEFG",
    ],
)
def test_a_code_that_a_client_did_not_choose_at_random_is_refused(code: str) -> None:
    with pytest.raises(InvalidInput, match="28 random digits"):
        check_new_receipt(code)
