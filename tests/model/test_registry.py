"""Promotions and rollbacks decide which version is served."""

from __future__ import annotations

import pytest

from catsdogs.errors import InvalidInput
from catsdogs.model.card import SHIPPED
from catsdogs.model.registry import ModelVersions

from .conftest import Trained


def test_the_shipped_version_is_served_until_another_is_promoted(versions: ModelVersions, trained: Trained) -> None:
    assert versions.served() == SHIPPED.name
    trained("b")
    trained("a")
    assert [folder.name for folder in versions.folders()] == [SHIPPED.name, "a", "b"]
    assert versions.served() == SHIPPED.name
    versions.promote("a")
    assert versions.served() == "a"
    versions.promote("b")
    assert versions.rollback() == versions.served() == "a"
    assert versions.rollback() == versions.served() == SHIPPED.name
    assert [(change.how, change.version) for change in versions.history().changes] == [
        ("promote", "a"), ("promote", "b"), ("rollback", "a"), ("rollback", SHIPPED.name),
    ]  # fmt: skip
    with pytest.raises(InvalidInput, match="no version to go back to"):
        versions.rollback()
    versions.promote("b")
    assert versions.rollback() == SHIPPED.name


def test_impossible_promotions_are_refused(versions: ModelVersions) -> None:
    with pytest.raises(InvalidInput, match="no model version nobody"):
        versions.promote("nobody")
    with pytest.raises(InvalidInput, match="served already"):
        versions.promote(SHIPPED.name)
    assert versions.change_token() is None


def test_an_unfinished_training_is_no_version(versions: ModelVersions, trained: Trained) -> None:
    trained(".new.tmp")
    assert versions.folders() == [SHIPPED]
