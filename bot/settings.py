"""config.yaml and the GRIDBOT_* environment (which wins) -> one validated object."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from handlers.files import ConfigError, mistakes, read_mapping
from handlers.organisation import GroupKind
from handlers.rules import Part, Rules
from handlers.vault import VARIABLE

Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(ge=0, le=86400)]


class GatewaySettings(Part):
    kind: Literal["local", "wechaty"] = "local"
    endpoint: str = ""
    """host:port of the Wechaty puppet service."""
    token: SecretStr = SecretStr("")
    tls: bool = True
    ca_file: Path | None = None
    """PEM of the authority that signed the gateway's certificate; without it the bundled Wechaty one."""
    server_name: str = ""
    """The name in the gateway's certificate, where it is not the default's."""
    rpc_seconds: Annotated[float, Field(gt=0, le=300)] = 10
    rpcs_at_once: Annotated[int, Field(ge=1, le=256)] = 32

    @model_validator(mode="after")
    def _needs(self) -> "GatewaySettings":
        if self.kind == "wechaty":
            if not self.endpoint or not self.endpoint.rpartition(":")[2].isdigit():
                raise ValueError("endpoint must be host:port for kind wechaty")
            if not self.token.get_secret_value():
                raise ValueError("token must be set for kind wechaty")
        return self


class StorageSettings(Part):
    url: str = "sqlite:///data/gridbot.db"
    media: Path = Path("data/media")
    """Folder of the pictures that belong to tickets."""

    @field_validator("url")
    @classmethod
    def _known(cls, url: str) -> str:
        try:
            backend = make_url(url).get_backend_name()
        except ArgumentError:
            backend = ""
        if backend not in {"sqlite", "postgresql"}:
            raise ValueError("must be sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME")
        return url


class WebSettings(Part):
    host: str = "127.0.0.1"
    port: Port = 8080
    public_url: str = ""
    """Where people open the pages; empty: at host and port."""
    session_days: Annotated[float, Field(gt=0, le=366)] = 14
    """How long a browser stays signed in without being used."""
    longest_session_days: Annotated[float, Field(gt=0, le=366)] = 90
    link_minutes: Annotated[float, Field(gt=0, le=7 * 24 * 60)] = 12 * 60
    """How long a printed sign-in link may be used (once)."""

    @field_validator("public_url")
    @classmethod
    def _origin(cls, url: str) -> str:
        parts = urlsplit(url.rstrip("/"))
        if url and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query):
            raise ValueError("must be http://HOST or https://HOST, with nothing behind it but a port")
        return url.rstrip("/")

    def base(self, port: int = 0) -> str:
        """What addresses of pages begin with. `port`: where they really are, if not at the settings'."""
        # A server that listens everywhere is reached at this machine; from elsewhere only by public_url.
        host = "127.0.0.1" if self.host in {"", "0.0.0.0", "::"} else self.host
        host = f"[{host}]" if ":" in host else host
        return self.public_url or f"http://{host}:{port or self.port}"


class IntakeSettings(Part):
    batch: Annotated[int, Field(ge=1, le=1000)] = 200
    """Messages that share a commit at most."""
    gather_ms: Annotated[float, Field(ge=0, le=1000)] = 20
    """Milliseconds that the first message of a batch waits for others to share its commit."""
    queue: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """Messages held while the database is busy; beyond that the gateway has to wait."""
    longest_text: Annotated[int, Field(ge=100, le=1_000_000)] = 20_000
    """Characters of a message that are kept; the rest is cut and marked."""


class OutboxSettings(Part):
    group_seconds: Seconds = 3
    """Least time between two messages into one group (urgency 3 does not wait for it)."""
    account_seconds: Seconds = 1
    """Least time between two messages of the account (urgency 3 does not wait for it)."""
    attempts: Annotated[int, Field(ge=1, le=100)] = 8
    backoff_seconds: Annotated[float, Field(gt=0, le=3600)] = 5
    """Wait before the second try; doubles each time, at most an hour."""
    longest_text: Annotated[int, Field(ge=100, le=10_000)] = 1500
    """Several waiting replies to one group go as one message up to this many characters."""


class TimerSettings(Part):
    sweep_seconds: Annotated[float, Field(gt=0, le=3600)] = 5


class OpinionSettings(Part):
    url: str = ""
    """Base URL of an OpenAI-compatible endpoint; empty: nobody is asked."""
    model: str = ""
    token: SecretStr = SecretStr("")
    seconds: Annotated[float, Field(gt=0, le=60)] = 2
    per_day: Annotated[int, Field(ge=0, le=1_000_000)] = 200
    acts: bool = False

    @model_validator(mode="after")
    def _needs(self) -> "OpinionSettings":
        parts = urlsplit(self.url)
        if self.url and (parts.scheme not in {"http", "https"} or not parts.netloc):
            raise ValueError("url must be http://HOST/PATH or https://HOST/PATH")
        if self.url and not self.model:
            raise ValueError("model must be set where url is")
        return self


class LearningSettings(Part):
    folder: Path = Path("data/model")
    """Where the street's own model is kept, and the one before it."""
    nightly_at: Annotated[str, Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$")] = ""
    """When to learn from corrections, street's zone; empty for never."""


class CareSettings(Part):
    key: SecretStr = SecretStr("")
    """What the care register is sealed with; several keys comma-separated, the newest first."""


class LogSettings(Part):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["console", "json"] = "console"


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="GRIDBOT_", env_nested_delimiter="__", extra="forbid", frozen=True
    )
    organisation: Path = Path("organisation.yaml")
    texts: Path | None = None
    """A YAML file with a street's own wording for some of handlers/texts/zh.yaml."""
    zone: str = "Asia/Shanghai"
    gateway: GatewaySettings = GatewaySettings()
    storage: StorageSettings = StorageSettings()
    web: WebSettings = WebSettings()
    intake: IntakeSettings = IntakeSettings()
    outbox: OutboxSettings = OutboxSettings()
    timers: TimerSettings = TimerSettings()
    opinion: OpinionSettings = OpinionSettings()
    learning: LearningSettings = LearningSettings()
    care: CareSettings = CareSettings()
    log: LogSettings = LogSettings()
    rules: Rules = Rules()

    @field_validator("zone")
    @classmethod
    def _zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):  # unknown, no name at all, a folder of names
            raise ValueError("not a time zone name such as Asia/Shanghai") from None
        return zone

    @field_validator("rules")
    @classmethod
    def _kinds(cls, rules: Rules) -> Rules:
        known = [str(kind) for kind in GroupKind]
        if unknown := [kind for kind in rules.opening.kinds if kind not in known]:
            raise ValueError(
                f"opening.kinds: {unknown[0]!r} is no kind of group; those are {', '.join(known)}"
            )
        return rules

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment before the file, whose values arrive as init arguments."""
        return env_settings, init_settings


def load(path: Path | None = None) -> Settings:
    """Reads `path` (default: config.yaml where there is one) and the environment.

    Raises ConfigError naming file, key and what is wrong.
    """
    file = path or Path("config.yaml")
    if path is None and not file.exists():
        values: dict[str, Any] = {}
    else:
        values = read_mapping(file)
    if _in_file(values.get("care")):
        raise ConfigError(
            f"{file}: care.key: only as {VARIABLE}: a key beside what it opens protects nothing"
        )
    try:
        return Settings(**values)
    except ValidationError as error:
        raise ConfigError("\n".join(_lines(error, file, values))) from None


def _in_file(care: Any) -> bool:
    return isinstance(care, dict) and bool(care.get("key"))


def unknown_variables() -> list[str]:
    """GRIDBOT_* variables that name no setting: most likely typing mistakes."""
    known = set(variables(Settings, "GRIDBOT_"))
    return sorted(name for name in os.environ if name.startswith("GRIDBOT_") and name not in known)


def variables(model: type[BaseModel], prefix: str) -> Iterator[str]:
    """The environment names of every setting, those of whole parts included (they take JSON)."""
    for name, entry in model.model_fields.items():
        variable = f"{prefix}{name}".upper()
        yield variable
        if isinstance(entry.annotation, type) and issubclass(entry.annotation, BaseModel):
            yield from variables(entry.annotation, f"{variable}__")


def _lines(error: ValidationError, file: Path, values: dict[str, Any]) -> list[str]:
    """One line a mistake: where it stands (file or environment variable), key, what is wrong."""
    lines = []
    for place, why in mistakes(error):
        keys = [str(part) for part in place]
        node: Any = values
        for key in keys:
            node = node.get(key) if isinstance(node, dict) else None
        variable = "GRIDBOT_" + "__".join(keys).upper()
        in_file = (node is not None or not keys) and variable not in os.environ
        where = f"{file}: {'.'.join(keys)}" if in_file else f"{variable} (or {file}: {'.'.join(keys)})"
        lines.append(f"{where}: {why}")
    return lines
