"""Targets are told of problems of the service, without a database."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from catsdogs.alerting import problem_texts
from catsdogs.alerting.problem_watch import TELL_AFTER_SECONDS, ProblemWatch
from catsdogs.alerting.targets import parse_targets
from catsdogs.domain import ServiceProblem
from catsdogs.i18n import Translator
from tests.alerting.mailbox import open_mailbox


def test_a_problem_that_lasts_is_told_once_and_so_is_its_end() -> None:
    now = [0.0]
    database = [ServiceProblem.DATABASE]
    with open_mailbox() as mailbox:
        watch = ProblemWatch(parse_targets(SecretStr(mailbox.target)), "en", lambda: now[0])
        watch.note(database)
        watch.note([])  # it was short
        watch.note(database)
        now[0] += TELL_AFTER_SECONDS - 1
        watch.note(database)
        assert mailbox.titles == []
        now[0] += 1
        mailbox.status = 500
        watch.note(database)
        assert mailbox.titles == []
        mailbox.status = 200
        watch.note(database)  # it was not delivered, so it comes again
        watch.note(database)
        assert mailbox.titles == ["catsdogs: Alert: The database is away or slow"]
        watch.note([])
        watch.note([])
        assert mailbox.titles[1:] == ["catsdogs: Resolved: The database is away or slow"]


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("problem", ServiceProblem)
def test_a_problem_of_the_service_is_named_in_words(language: str, problem: ServiceProblem) -> None:
    title, _body = problem_texts.message(problem, Translator(language), is_over=False)
    assert " " in title.rpartition(":")[2].strip("\u00a0 ")
