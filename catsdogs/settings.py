"""One object for all settings, from the environment and ``.env`` (the environment wins).

``.env.example`` documents each for the person who sets them.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from dotenv.parser import parse_stream
from pydantic import AfterValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from catsdogs import files
from catsdogs.datetimes import parse_interval
from catsdogs.domain import DataController
from catsdogs.errors import InvalidInput, SettingsError

_PREFIX = re.compile(r"(/[A-Za-z0-9@+%~_-][A-Za-z0-9@+%~_.-]*)*")
_FRAME_ANCESTOR = re.compile(r"'self'|\*|https?://(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:\d{1,5})?")


def path_prefix(path: str) -> str | None:
    """Return a path under which addresses begin, without a slash at its end; None where it is none."""
    prefix = path.rstrip("/")
    return prefix if _PREFIX.fullmatch(prefix) else None


def _base_url(path: str) -> str:
    prefix = path_prefix(path)
    if prefix is None:
        raise PydanticCustomError("base_url", "it is a path that begins with a slash, such as /pets")
    return prefix


def _address(text: str) -> str:
    if not re.match(r"https?://[^/?#\s]+", text):
        raise PydanticCustomError("address", "it is an address such as https://www.example.org")
    return text


def _page_address(text: str) -> str:
    if re.search(r"[?#]", text):
        raise PydanticCustomError("page_address", "it is an address such as https://www.example.org, without ? and #")
    return _address(text).rstrip("/")


def _table_name(name: str) -> str:
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,47}", name):
        raise PydanticCustomError(
            "table_name", "it has at most 48 small letters, digits and underscores, and does not begin with a digit"
        )
    return name


def _frame_ancestors(text: str) -> str:
    sites = ["'self'" if site == "self" else site.rstrip("/") for site in text.split()]
    if not all(map(_FRAME_ANCESTOR.fullmatch, sites)):
        raise PydanticCustomError(
            "frame_ancestors",
            "it lists sites, separated by spaces, such as https://school.example https://*.example.org; self is this "
            "site, and * is every site",
        )
    return " ".join(sites)


def env_file() -> Path:
    """Return the path of ``.env``, whether or not the file exists."""
    return files.project() / ".env"


class Settings(BaseSettings):
    """The settings of one process. Create them with :meth:`load`, which explains what is wrong."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    db_host: str | None = None
    """External PostgreSQL server; if it is not set, the embedded one in `data_dir` is used."""
    db_port: int = Field(5432, ge=1, le=65535)
    db_name: str = Field("catsdogs", min_length=1, max_length=63)
    db_user: str = Field("catsdogs", min_length=1, max_length=63)
    db_pwd: SecretStr | None = None
    db_sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] | None = Field(
        None, validation_alias="CATSDOGS_DB_SSLMODE"
    )
    """TLS mode for an external server; if it is not set, libpq's ``PGSSLMODE``, else ``prefer``."""
    db_sslrootcert: Path | None = Field(None, validation_alias="CATSDOGS_DB_SSLROOTCERT")
    """File of CA certificates that verify the server's; if it is not set, libpq's ``PGSSLROOTCERT``."""
    db_table_monitoring: Annotated[str, AfterValidator(_table_name)] = "predictions_feedback"
    """Name of the table of predictions."""

    api_token: SecretStr | None = Field(None, min_length=16)
    """Bearer token of the REST API."""
    operator_password: SecretStr | None = Field(None, min_length=8, validation_alias="CATSDOGS_OPERATOR_PASSWORD")
    """Password of the monitoring app."""

    data_dir: Annotated[Path, AfterValidator(lambda folder: files.project() / folder)] = Field(
        Path("data"), validation_alias="CATSDOGS_DATA_DIR", validate_default=True
    )
    """Folder for everything that is written."""
    retention_days: int = Field(365, ge=1, le=36_500, validation_alias="CATSDOGS_RETENTION_DAYS")
    """Number of days after which personal data is purged; the anonymous figures stay."""
    controller: str = Field("", max_length=200, validation_alias="CATSDOGS_CONTROLLER")
    """Data controller: a name and an address, for the privacy notice."""
    contact: str = Field("", max_length=200, validation_alias="CATSDOGS_CONTACT")
    """Contact of the data controller: a mail address, or a page."""
    spool_megabytes: int = Field(1024, ge=1, validation_alias="CATSDOGS_SPOOL_MEGABYTES")
    """Largest disk space of the spool, where records wait for the database."""
    lang: Literal["en", "fr"] = Field("en", validation_alias="CATSDOGS_LANG")
    """Language of people who choose none."""
    model_runtime: Literal["onnx", "keras"] = "onnx"

    max_sessions: int = Field(32, ge=1, validation_alias="CATSDOGS_MAX_SESSIONS")
    """Largest number of visitors' sessions, each with a kernel of about 20 to 45 MiB."""
    sessions_per_address: int = Field(16, ge=1, validation_alias="CATSDOGS_SESSIONS_PER_ADDRESS")
    """Largest number of these from one address."""
    idle_minutes: int = Field(60, ge=1, validation_alias="CATSDOGS_IDLE_MINUTES")
    """Minutes without a click after which the session of an open page ends; without a connection, it lasts longer."""
    gateway_token: SecretStr | None = Field(None, min_length=16, validation_alias="CATSDOGS_GATEWAY_TOKEN")
    """Token of the gateway, the same as its ``KG_AUTH_TOKEN``."""
    gateway_url: Annotated[str, AfterValidator(_address)] | None = Field(None, validation_alias="CATSDOGS_GATEWAY_URL")
    """Jupyter Kernel Gateway that runs the visitors' kernels; if it is not set, they run on this machine."""
    url_for_kernels: Annotated[str, AfterValidator(_address)] | None = Field(
        None, validation_alias="CATSDOGS_URL_FOR_KERNELS"
    )
    """Address of this server for kernels on the gateway; if it is not set, the address it listens on."""

    alert_rules: Path | None = Field(None, validation_alias="CATSDOGS_ALERT_RULES")
    """File of alert rules; if it is not set, the packaged rules."""
    alert_targets: SecretStr | None = Field(None, validation_alias="CATSDOGS_ALERT_TARGETS")
    """Apprise addresses that are notified of alerts, separated by spaces."""
    drift_reference: str | None = Field(None, validation_alias="CATSDOGS_DRIFT_REFERENCE")
    """Period whose photos and answers drift is measured against, as START/END; if it is not set, or a model version
    hardly answered in it, the photos that the model was evaluated on."""
    public_url: Annotated[str, AfterValidator(_page_address)] | None = Field(
        None, validation_alias="CATSDOGS_PUBLIC_URL"
    )
    """Address at which people open the apps, for links in notifications; `base_url` may be left out of it."""
    requests_per_minute: int = Field(12_000, ge=1, validation_alias="CATSDOGS_REQUESTS_PER_MINUTE")
    """Limit of requests per minute to the REST API from one address; above it, the answer is 429."""
    v2_compatible: bool = Field(False, validation_alias="CATSDOGS_V2_COMPATIBLE")
    """Whether the REST API answers as V2 did; see the README."""
    behind_proxy: bool = Field(False, validation_alias="CATSDOGS_BEHIND_PROXY")
    """Whether to trust a reverse proxy's headers for the client's address; only if nobody else can reach the port."""

    base_url: Annotated[str, AfterValidator(_base_url)] = Field("", validation_alias="CATSDOGS_BASE_URL")
    """Path under which a proxy shows the server, such as ``/pets``; empty where it has a host of its own."""
    frame_ancestors: Annotated[str, AfterValidator(_frame_ancestors)] = Field(
        "", validation_alias="CATSDOGS_FRAME_ANCESTORS"
    )
    """Sites that may show the prediction app in a frame, as in a Content-Security-Policy."""

    @field_validator("gateway_url")
    @classmethod
    def _never_without_token(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url and not info.data.get("gateway_token"):
            raise PydanticCustomError("no_token", "it needs CATSDOGS_GATEWAY_TOKEN beside it")
        return url

    @field_validator("drift_reference")
    @classmethod
    def _is_a_period(cls, text: str | None) -> str | None:
        if text:
            try:
                parse_interval(text)
            except InvalidInput:
                raise PydanticCustomError(
                    "no_period", "it must be START/END, START before END, like 2026-01-01/2026-01-08"
                ) from None
        return text

    @property
    def drift_period(self) -> tuple[datetime, datetime] | None:
        """Start and end of `drift_reference`, in UTC."""
        return parse_interval(self.drift_reference) if self.drift_reference else None

    @property
    def site(self) -> str:
        """Address before the path of each page, in notifications; the prefix alone if `public_url` is not set."""
        return (self.public_url or "").removesuffix(self.base_url) + self.base_url

    @property
    def data_controller(self) -> DataController:
        """Data controller, as the privacy notice names it."""
        return DataController(self.controller, self.contact, self.retention_days)

    def create_data_dir(self) -> None:
        """Create the data folder, for this user alone, and check that it can be written.

        Raises
        ------
        SettingsError
        """
        try:
            files.data_folder(self.data_dir)
            with tempfile.TemporaryFile(dir=self.data_dir):
                pass
        except OSError as error:
            raise SettingsError(
                "The data folder {folder} cannot be written: {reason}. Choose another with CATSDOGS_DATA_DIR.",
                folder=self.data_dir,
                reason=os.strerror(error.errno or errno.EIO),
            ) from error

    @classmethod
    def load(cls, **given: Any) -> Self:
        """Read the environment and ``.env``.

        Parameters
        ----------
        given
            Values that take precedence, by the names of their variables.

        Raises
        ------
        SettingsError
            The message names the setting and what is wrong with it, never its value.
        """
        _check_env_file(env_file())
        try:
            return cls(_env_file=env_file(), **given)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            raise SettingsError(
                "Setting {name} is wrong: {problem}. Correct it in .env or in the environment.",
                name=str(first["loc"][0]).upper(),
                problem=_problem(first),
            ) from None


def _problem(error: Mapping[str, Any]) -> str:
    if error["type"] == "too_short":  # of a secret, pydantic would say "items"
        return f"it needs at least {error['ctx']['min_length']} characters"
    message: str = error["msg"]
    return message[:1].lower() + message[1:]


def _check_env_file(path: Path) -> None:
    """Raise SettingsError where `path` exists and is not a list of NAME=VALUE lines."""
    try:
        with path.open(encoding="utf-8") as stream:
            for binding in parse_stream(stream):
                if binding.error or (binding.key is not None and binding.value is None):
                    line = binding.original.line
                    raise SettingsError("Line {line} of .env is not NAME=VALUE. Correct or delete it.", line=line)
    except FileNotFoundError:
        return
    except UnicodeDecodeError:
        raise SettingsError("The file .env is not UTF-8 text. Copy .env.example and start again.") from None
    except OSError as error:
        raise SettingsError("The file .env cannot be read: {reason}.", reason=error.strerror) from error


def write_missing_secrets(settings: Settings) -> list[str]:
    """Append random values to ``.env`` (mode 600) for the secrets that are not set.

    Returns
    -------
    list of str
        Names of the settings written; reload the settings to have them.

    Raises
    ------
    SettingsError
        The file cannot be written.
    """
    secret = {"API_TOKEN": settings.api_token, "CATSDOGS_OPERATOR_PASSWORD": settings.operator_password}
    missing = [name for name, value in secret.items() if value is None]
    if not missing:
        return []
    try:
        files.append_privately(env_file(), "".join(f"{name}={secrets.token_urlsafe(24)}\n" for name in missing))
    except OSError as error:
        raise SettingsError(
            "No {names} is set, and .env cannot be written: {reason}.",
            names=" and no ".join(missing),
            reason=error.strerror,
        ) from error
    return missing
