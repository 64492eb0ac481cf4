"""The program's settings: environment variables that begin with `LUOPAN_`, read once."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PREFIX = "LUOPAN_"
PROJECT_ROOT = Path(__file__).resolve().parent.parent


class WrongSettings(SystemExit):
    """A setting is set to what it cannot be: nothing starts, and the sentence names the variable.

    No value is repeated, since one may be a password. `heading` writes the first line; `core.errors` has it speak the
    console's language.
    """

    heading: ClassVar[Callable[[], str]] = lambda: "These settings cannot be used:"

    def __init__(self, error: ValidationError) -> None:
        self.names = tuple(environment_name(str(found["loc"][0])) for found in error.errors())
        reasons = (found["msg"].removeprefix("Value error, ") for found in error.errors())
        said = "\n".join(f"  {name}: {reason}" for name, reason in zip(self.names, reasons, strict=True))
        super().__init__(f"{type(self).heading()}\n{said}")


class Settings(BaseSettings):
    """What an installation decides; every field has a default that suits one machine."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    database_url: str = Field(
        default="",
        repr=False,
        description=(
            "Where the data is kept, as an SQLAlchemy address, e.g. "
            "`postgresql+psycopg://user@host/luopan`. Empty: an SQLite file in the data folder."
        ),
    )
    analytics_url: str = Field(
        default="",
        repr=False,
        description=(
            "A ClickHouse that answers the analysis pages, for companies that outgrow one machine, e.g. "
            "`clickhouse://user:password@host:8123/luopan` (`clickhouses://` over https). Empty: DuckDB in the program."
        ),
    )
    data_dir: Path = Field(
        default=PROJECT_ROOT / "data",
        description="Folder of the embedded database, the cookie key and other files the program writes.",
    )
    host: str = Field(
        default="127.0.0.1",
        description="Address to listen on; `0.0.0.0` lets other machines reach the program.",
    )
    port: int = Field(default=8501, ge=1, le=65535, description="Port to listen on.")
    base_url: str = Field(
        default="",
        description=(
            "Public address that links begin with, e.g. `https://sales.example.com`. "
            "Empty: the address in the reader's browser."
        ),
    )
    trusted_proxies: str = Field(
        default="",
        description=(
            "Addresses of the reverse proxies, with commas between, whose `X-Forwarded-For` and "
            "`X-Forwarded-Proto` are believed. Empty: none."
        ),
    )
    secure_cookies: Literal["auto", "always", "never"] = Field(
        default="auto",
        description="Whether cookies are sent over https alone; `auto` goes by the scheme of the request.",
    )
    session_hours: int = Field(default=12, ge=1, le=24 * 90, description="Hours after which everybody signs in again.")
    session_idle_minutes: int = Field(
        default=120, ge=1, le=60 * 24 * 90, description="Minutes without use after which a sign-in ends."
    )
    time_zone: str = Field(
        default="Asia/Shanghai",
        description="The company's time zone, which decides what day it is.",
    )
    base_currency: str = Field(
        default="CNY",
        pattern=r"^[A-Z]{3}$",
        description="Currency that amounts are compared in (ISO 4217).",
    )
    default_language: Literal["", "zh", "en"] = Field(
        default="",
        description="Language before somebody has chosen one: `zh` or `en`. Empty: the browser's.",
    )
    demo: Literal["offer", "load", "never"] = Field(
        default="offer",
        description="What to do with an empty database: `offer` the demo company, `load` it, or `never`.",
    )
    dask_scheduler: str = Field(
        default="",
        description=(
            "Address of a Dask scheduler that fits the forecasts of all series, e.g. `tcp://10.0.0.5:8786`. "
            "Empty: worker processes of this machine."
        ),
    )

    @field_validator("time_zone")
    @classmethod
    def _is_a_known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            message = f"{name!r} is not a time zone; Asia/Shanghai is one"
            raise ValueError(message) from error
        return name

    @field_validator("analytics_url")
    @classmethod
    def _names_a_clickhouse(cls, address: str) -> str:
        if address and not address.startswith(("clickhouse://", "clickhouses://")):
            message = "an analytics address begins with clickhouse:// or clickhouses://"
            raise ValueError(message)
        return address

    @field_validator("base_url")
    @classmethod
    def _ends_without_a_slash(cls, address: str) -> str:
        if address and not address.startswith(("http://", "https://")):
            message = "an address begins with http:// or https://"
            raise ValueError(message)
        return address.rstrip("/")

    @property
    def url(self) -> str:
        """The database's address for SQLAlchemy; PostgreSQL always goes through psycopg."""
        if not self.database_url:
            return f"sqlite:///{self.data_dir.absolute() / 'luopan.db'}"
        for scheme in ("postgresql://", "postgres://"):
            if self.database_url.startswith(scheme):
                return "postgresql+psycopg://" + self.database_url.removeprefix(scheme)
        return self.database_url

    @property
    def zone(self) -> ZoneInfo:
        """The company's time zone."""
        return ZoneInfo(self.time_zone)


@cache
def settings() -> Settings:
    """Return the settings as they stood at the first call; `settings.cache_clear()` reads them again.

    Raises WrongSettings, which ends the program with a sentence.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise WrongSettings(error) from None


def environment_name(field: str) -> str:
    """Return the variable that sets a field: `data_dir` is `LUOPAN_DATA_DIR`."""
    return PREFIX + field.upper()


def unknown_settings(environ: Iterable[str]) -> list[str]:
    """Return the names that begin with `LUOPAN_` but set nothing: most likely misspelt."""
    known = {environment_name(field) for field in Settings.model_fields}
    return sorted(name for name in environ if name.upper().startswith(PREFIX) and name.upper() not in known)
