"""All settings: read from the environment once, validated, frozen. The README's table is tested against this class."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MIB = 1024**2
GIB = 1024**3
UPLOAD_EXPIRY_SECONDS = 24 * 3600  # a laptop that is closed in the evening goes on in the morning
_REDIS_SCHEMES = {"redis", "rediss", "unix"}
_RABBITMQ_SCHEMES = {"amqp", "amqps"}
WEBHOOK_SECRET_PREFIX = "whsec_"  # noqa: S105 - as the Standard Webhooks specification writes secrets
_SECRET_BYTES = range(24, 65)  # what it allows
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class SettingsError(Exception):
    """The environment holds a value that cannot be used; the message names each and says what is wanted."""


class Settings(BaseSettings):
    """Every setting is the environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    host: str = Field(default="127.0.0.1", description="Address the web service listens on.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port the web service listens on.")
    data_dir: Path = Field(default=Path("data"), description="Folder of Redis, local objects, scratch space and logs.")
    encoders: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=512,
        description="Encoder slots of this machine; each encodes one segment. Default: one per core.",
    )
    redis_url: SecretStr = Field(
        default=SecretStr("redis://127.0.0.1:6379/0"),
        description="Redis of job records, leases and events. `make up` starts its own and sets this.",
    )
    broker_url: SecretStr | None = Field(
        default=None,
        description="Celery's broker: another Redis, or RabbitMQ, `amqp://user:password@host:5672/vhost` "
        "(`amqps://` for TLS). Default: the same as REDIS_URL.",
    )
    object_store_url: str = Field(
        default="",
        description="`file:///folder` or `s3://host:port/bucket` (`s3+https://` for TLS). Default: DATA_DIR/objects.",
    )
    object_store_access_key: str = Field(default="", description="Access key of an S3 store.")
    object_store_secret_key: SecretStr = Field(default=SecretStr(""), description="Secret key of an S3 store.")
    object_store_region: str = Field(default="us-east-1", description="Region used in S3 signatures.")
    media_redirect: str = Field(
        default="",
        pattern=r"^(/[a-z_/-]+/)?$",
        description="Internal nginx location that serves the object store (X-Accel-Redirect). Empty: Flask serves.",
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=_LOOPBACK,
        description="Host names browsers may use, separated by commas (guards against DNS rebinding). HOST is added.",
    )
    max_upload_bytes: int = Field(default=64 * GIB, ge=1, description="Largest upload in bytes.")
    max_uploads: int = Field(default=64, ge=1, description="Uploads received at once; one more gets 503.")
    upload_expiry_seconds: int = Field(
        default=UPLOAD_EXPIRY_SECONDS,
        ge=60,
        description="An upload by tus of which nothing came for so long is given up, and what came is removed.",
    )
    early_encoding: bool = Field(
        default=True,
        description="Encode uploads by tus before their last byte has come, where encoders would be idle.",
    )
    max_pending_bytes: int = Field(
        default=256 * GIB,
        ge=1,
        description="Bytes still to come of all uploads together; beyond, one more gets 503.",
    )
    admission_max_wait_seconds: int = Field(
        default=4 * 3600,
        ge=1,
        description="Uploads get 503 while accepted work keeps the encoders busy for longer. Default: a film alone "
        "does not close the door, and what is sent in the evening is ready in the morning.",
    )
    owner_max_jobs: int = Field(
        default=1000, ge=1, description="Unfinished jobs of one owner; one more gets 429. Guards records, not encoders."
    )
    client_idle_seconds: int = Field(
        default=60, ge=1, description="A client that sends or takes nothing for so long is disconnected."
    )
    client_request_seconds: int = Field(
        default=15,
        ge=1,
        description="The head of a request must be there within so many seconds, and so must the body of a form.",
    )
    upload_least_rate: int = Field(
        default=2048,
        ge=0,
        description="Bytes a second that an upload must bring, on average over CLIENT_IDLE_SECONDS. Default: far below "
        "what a phone sends, pauses included.",
    )
    address_share: int = Field(
        default=25,
        ge=1,
        le=100,
        description="Percent of uploads, watchers, downloads, requests and turns that one client address may hold. An "
        "IPv6 network of 64 bits counts as one address.",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Addresses, networks or host names of proxies in front of the web service, separated by commas. "
        "The client's address is taken from their X-Forwarded-For, from nobody else's.",
    )
    free_space_reserve: int = Field(
        default=2 * GIB, ge=0, description="Free bytes the object store keeps; below, uploads get 503."
    )
    scratch_reserve: int = Field(
        default=128 * MIB,
        ge=0,
        description="Free bytes of scratch space for each encoder slot; with less, the machine takes no work. Default: "
        "six segments of 1080p.",
    )
    memory_reserve: int = Field(
        default=512 * MIB,
        ge=0,
        description="Available bytes of memory below which a machine takes no work.",
    )
    web_threads: int = Field(
        default=500, ge=8, le=4000, description="Requests served at once; every watcher of a job page takes one."
    )
    max_source_pixels: int = Field(
        default=8192 * 4352,
        ge=1,
        le=8192 * 8192,  # no tool decodes more: workers.sandbox.allowed_inputs
        description="Largest picture decoded, in pixels (8K by default); at most 67108864.",
    )
    max_source_seconds: int = Field(default=12 * 3600, ge=1, description="Longest video encoded, in seconds.")
    max_job_hours: int = Field(
        default=72,
        ge=1,
        description="Most hours of one encoder that a video may cost by its plan. Default: twelve hours of 1080p at 60 "
        "frames a second take 40.",
    )
    attempts: int = Field(default=3, ge=1, le=20, description="Tries at one task before its job fails.")
    stall_seconds: int = Field(default=120, ge=5, description="An ffmpeg without progress for so long is stopped.")
    sandbox: Literal["on", "require", "off"] = Field(
        default="on",
        description="`on` fences ffmpeg in with all that the kernel lends, `require` starts no worker where a layer "
        "is missing, `off` is for comparison only. `rungs doctor` says what there is.",
    )
    tool_folders: Annotated[tuple[Path, ...], NoDecode] = Field(
        default=(),
        description="Further folders that tools read and execute, separated by colons: where ffmpeg or its libraries "
        "lie in an unusual place.",
    )
    encode_preset: Literal["superfast", "veryfast", "faster", "fast", "medium", "slow"] = Field(
        default="veryfast", description="x264 preset; the default is measured, see docs/encoding.md."
    )
    allow_private_webhooks: bool = Field(default=False, description="Let webhook_url point into private networks.")
    webhook_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Signs webhooks (Standard Webhooks): `whsec_` and the base64 of 24 to 64 random bytes. "
        "Empty: unsigned.",
    )
    log_format: Literal["console", "json"] = Field(default="console", description="How logs are written.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")

    @field_validator("allowed_hosts", "trusted_proxies", mode="before")
    @classmethod
    def _split_names(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("tool_folders", mode="before")
    @classmethod
    def _split_folders(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part for part in value.split(os.pathsep) if part)
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis_scheme(cls, value: SecretStr) -> SecretStr:
        if urlsplit(value.get_secret_value()).scheme not in _REDIS_SCHEMES:
            raise ValueError("must begin with redis://, rediss:// or unix://")
        return value

    @field_validator("broker_url")
    @classmethod
    def _broker_scheme(cls, value: SecretStr | None) -> SecretStr | None:
        parts = urlsplit(value.get_secret_value() if value else "redis:")
        if parts.scheme not in _REDIS_SCHEMES | _RABBITMQ_SCHEMES:
            raise ValueError("must begin with redis://, rediss://, unix://, amqp:// or amqps://")
        if parts.scheme in _RABBITMQ_SCHEMES and not parts.hostname:
            raise ValueError("must name a host: amqp://user:password@host:5672/vhost")
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _webhook_secret(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        try:
            key = base64.b64decode(text.removeprefix(WEBHOOK_SECRET_PREFIX), validate=True)
        except ValueError:
            key = b""
        if text and not (text.startswith(WEBHOOK_SECRET_PREFIX) and len(key) in _SECRET_BYTES):
            raise ValueError("must be whsec_ and the base64 of 24 to 64 bytes: echo whsec_$(openssl rand -base64 32)")
        return value

    @field_validator("object_store_url")
    @classmethod
    def _store_scheme(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and parts.scheme not in {"file", "s3", "s3+https"}:
            raise ValueError("must begin with file://, s3:// or s3+https://")
        if parts.scheme.startswith("s3") and not (parts.hostname and parts.path.strip("/")):
            raise ValueError("must name host and bucket: s3://host:port/bucket")
        if parts.username or parts.password:
            raise ValueError("must hold no keys: use OBJECT_STORE_ACCESS_KEY and OBJECT_STORE_SECRET_KEY")
        return value

    @model_validator(mode="after")
    def _keys_for_s3(self) -> Self:
        if self.object_store_url.startswith("s3") and not self.object_store_access_key:
            raise ValueError("OBJECT_STORE_URL is an S3 store, so OBJECT_STORE_ACCESS_KEY must be set")
        return self

    @property
    def broker(self) -> str:
        """URL of Celery's broker, with its password."""
        return (self.broker_url or self.redis_url).get_secret_value()

    @property
    def on_rabbitmq(self) -> bool:
        """Tell whether Celery's broker is RabbitMQ; otherwise it is Redis."""
        return urlsplit(self.broker).scheme in _RABBITMQ_SCHEMES

    @property
    def store_url(self) -> str:
        """URL of the object store, the embedded default filled in."""
        return self.object_store_url or f"{self.data_dir.resolve().as_uri()}/objects"

    @property
    def scratch_dir(self) -> Path:
        """Folder of attempts' scratch space."""
        return self.data_dir.resolve() / "scratch"

    @property
    def trusted_hosts(self) -> list[str]:
        """Host names Flask accepts."""
        return [*self.allowed_hosts, self.host]


def load_settings() -> Settings:
    """Read the environment once; raise SettingsError with one line for each bad value.

    Where SECRETS_DIR names a folder, a file in it named like a setting holds that setting, unless the environment does.
    """
    try:
        return Settings(_secrets_dir=os.environ.get("SECRETS_DIR") or None)
    except ValidationError as error:
        lines = (
            f"{'_'.join(str(part) for part in issue['loc']).upper() or 'settings'}: {issue['msg']}"
            for issue in error.errors(include_input=False)
        )
        raise SettingsError("\n".join(lines)) from None
