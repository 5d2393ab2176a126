import pytest

from catsdogs.widgets.session_language import session_language


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"CATSDOGS_LANG": "fr"}, "fr"),
        ({"CATSDOGS_LANG": "en", "HTTP_ACCEPT_LANGUAGE": "de, fr-CA;q=0.8, en;q=0.2"}, "fr"),
        ({"HTTP_ACCEPT_LANGUAGE": "fr", "QUERY_STRING": "theme=x&lang=en"}, "en"),
        ({"HTTP_ACCEPT_LANGUAGE": "fr", "QUERY_STRING": "lang=%3Cscript%3E"}, "fr"),
        ({"QUERY_STRING": "lang="}, "en"),
    ],
)
def test_the_address_precedes_the_browser_and_the_browser_the_setting(
    environment: dict[str, str], language: str
) -> None:
    assert session_language(environment) == language
