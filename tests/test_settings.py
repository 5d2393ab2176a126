from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from catsdogs.errors import SettingsError
from catsdogs.settings import Settings, write_missing_secrets
from tests.small_disk import fill, small_disk


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to an empty folder, without settings in the environment."""
    for name, field in Settings.model_fields.items():
        monkeypatch.delenv(str(field.validation_alias or name).upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_everything_has_a_default_but_the_secrets() -> None:
    settings = Settings.load()
    assert settings.api_token is None
    assert settings.operator_password is None
    assert settings.db_table_monitoring == "predictions_feedback"


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("DB_HOST=from-file\nDB_NAME=from-file\n")
    monkeypatch.setenv("DB_HOST", "from-environment")
    settings = Settings.load()
    assert (settings.db_host, settings.db_name) == ("from-environment", "from-file")


def test_the_variable_lang_of_the_system_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "C.UTF-8")
    assert Settings.load().lang == "en"


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("DB_PORT=many", "DB_PORT"),
        ("DB_PORT=70000", "DB_PORT"),
        ("CATSDOGS_LANG=de", "CATSDOGS_LANG"),
        ("API_TOKEN=short", "API_TOKEN"),
        ("DB_TABLE_MONITORING=x; drop table y", "DB_TABLE_MONITORING"),
        ("MODEL_RUNTIME=torch", "MODEL_RUNTIME"),
        ("CATSDOGS_BASE_URL=animals", "CATSDOGS_BASE_URL"),
        ("CATSDOGS_BASE_URL=//evil.example", "CATSDOGS_BASE_URL"),
        ("CATSDOGS_BASE_URL=/a/../b", "CATSDOGS_BASE_URL"),
        ("CATSDOGS_BASE_URL=https://example.org/animals", "CATSDOGS_BASE_URL"),
        ("CATSDOGS_FRAME_ANCESTORS=museum.example", "CATSDOGS_FRAME_ANCESTORS"),
        ("CATSDOGS_FRAME_ANCESTORS=https://a.example; script-src *", "CATSDOGS_FRAME_ANCESTORS"),
        ("CATSDOGS_FRAME_ANCESTORS=https://a.example/page", "CATSDOGS_FRAME_ANCESTORS"),
        ("CATSDOGS_DRIFT_REFERENCE=2026-01-08/2026-01-01", "CATSDOGS_DRIFT_REFERENCE"),
        ("CATSDOGS_DRIFT_REFERENCE=P7D", "CATSDOGS_DRIFT_REFERENCE"),
        ("CATSDOGS_PUBLIC_URL=pets.example", "CATSDOGS_PUBLIC_URL"),
        ("CATSDOGS_PUBLIC_URL=https://pets.example/?lang=fr", "CATSDOGS_PUBLIC_URL"),
        ("CATSDOGS_GATEWAY_URL=kernels.example:8888", "CATSDOGS_GATEWAY_URL"),
        ("CATSDOGS_GATEWAY_URL=http://kernels.example", "CATSDOGS_GATEWAY_TOKEN"),
    ],
)
def test_a_wrong_setting_is_named_without_its_value(line: str, named: str) -> None:
    Path(".env").write_text(line)
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    assert named in str(caught.value)
    assert line.partition("=")[2] not in str(caught.value)
    assert "pattern" not in str(caught.value)


@pytest.mark.parametrize(("path", "prefix"), [("/pets/", "/pets"), ("/", ""), ("/user/a@b.c/x", "/user/a@b.c/x")])
def test_the_prefix_of_addresses_has_no_slash_at_its_end(path: str, prefix: str) -> None:
    assert Settings.load(CATSDOGS_BASE_URL=path).base_url == prefix


@pytest.mark.parametrize(
    ("public_url", "base_url", "site"),
    [
        (None, "", ""),
        (None, "/pets", "/pets"),
        ("https://a.example/", "/pets", "https://a.example/pets"),
        ("https://a.example", "", "https://a.example"),
        ("https://a.example", "/pets", "https://a.example/pets"),
        ("https://a.example/pets", "/pets", "https://a.example/pets"),
        ("https://a.example/pets", "", "https://a.example/pets"),  # a proxy names the prefix
    ],
)
def test_links_of_notifications_have_the_prefix_once(public_url: str | None, base_url: str, site: str) -> None:
    settings = Settings.load(CATSDOGS_PUBLIC_URL=public_url, CATSDOGS_BASE_URL=base_url)
    assert settings.site == site


def test_the_sites_that_may_show_the_app_are_written_as_browsers_read_them() -> None:
    settings = Settings.load(CATSDOGS_FRAME_ANCESTORS="self https://*.school.example:8443/ *")
    assert settings.frame_ancestors == "'self' https://*.school.example:8443 *"


@pytest.mark.parametrize("content", [b"DB_HOST=x\nnot a setting\n", b"DB_HOST=x\n'unclosed=\n"])
def test_a_broken_line_is_named_by_its_number(content: bytes) -> None:
    Path(".env").write_bytes(content)
    with pytest.raises(SettingsError, match=r"Line 2 of \.env"):
        Settings.load()


def test_a_short_secret_is_counted_in_characters() -> None:
    Path(".env").write_text("CATSDOGS_OPERATOR_PASSWORD=abc")
    with pytest.raises(SettingsError, match="CATSDOGS_OPERATOR_PASSWORD is wrong: it needs at least 8 characters"):
        Settings.load()


def test_a_binary_file_is_refused() -> None:
    Path(".env").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="UTF-8"):
        Settings.load()


def test_a_folder_instead_of_the_file_is_refused() -> None:
    Path(".env").mkdir()
    with pytest.raises(SettingsError, match="cannot be read"):
        Settings.load()


def test_missing_secrets_are_written_once_and_only_for_the_owner() -> None:
    Path(".env").write_text("DB_HOST=kept")
    assert write_missing_secrets(Settings.load()) == ["API_TOKEN", "CATSDOGS_OPERATOR_PASSWORD"]
    settings = Settings.load()
    assert settings.api_token is not None
    assert len(settings.api_token.get_secret_value()) >= 32
    assert settings.db_host == "kept"
    assert stat.S_IMODE(Path(".env").stat().st_mode) == 0o600
    assert write_missing_secrets(settings) == []


def test_the_repositorys_notebooks_use_the_repositorys_data(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.load().data_dir == Path.cwd() / "data"
    repository = Path(__file__).parent.parent
    monkeypatch.chdir(repository / "notebooks" / "lab")
    assert Settings.load().data_dir == repository / "data"
    monkeypatch.setenv("CATSDOGS_DATA_DIR", "/elsewhere")
    assert Settings.load().data_dir == Path("/elsewhere")


def test_secrets_are_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last 30 bytes of the last page are free: some of the text would fit."""
    with small_disk(tmp_path / "disk", "64k") as disk:
        (disk / ".env").write_text("DB_HOST=kept".ljust(4096 - 30))
        fill(disk)
        monkeypatch.chdir(disk)
        with pytest.raises(SettingsError, match=r"No API_TOKEN and no .* cannot be written: No space left"):
            write_missing_secrets(Settings.load())
        assert (disk / ".env").read_text() == "DB_HOST=kept".ljust(4096 - 30)
        monkeypatch.chdir(tmp_path)


def test_secrets_are_never_shown() -> None:
    write_missing_secrets(Settings.load())
    settings = Settings.load()
    assert settings.api_token is not None
    assert settings.api_token.get_secret_value() not in f"{settings!r}{settings}"


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
def test_an_unwritable_folder_is_reported(empty_folder: Path) -> None:
    empty_folder.chmod(0o500)
    with pytest.raises(SettingsError, match="cannot be written"):
        write_missing_secrets(Settings.load())


def test_the_data_folder_is_private_and_its_failure_is_named(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, CATSDOGS_DATA_DIR=tmp_path / "above" / "data")
    settings.create_data_dir()
    settings.create_data_dir()
    assert stat.S_IMODE(settings.data_dir.stat().st_mode) in {0o700, 0o711}
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="CATSDOGS_DATA_DIR"):
        Settings(_env_file=None, CATSDOGS_DATA_DIR=tmp_path / "file" / "data").create_data_dir()
