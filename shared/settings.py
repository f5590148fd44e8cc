"""Settings: read once, in a composition root, and passed on as arguments.

Every setting is an environment variable ``JEJAK_<NAME>``; ``--data`` on the command line wins over
``JEJAK_DATA``. Secrets are read from files in the data folder when no variable gives them.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

SERVICES = ("intake", "workflow", "payment", "notify")
_DEPLOY = Path(__file__).resolve().parent.parent / "deploy"


class Settings(BaseSettings):
    """What differs between one installation and the next."""

    model_config = SettingsConfigDict(env_prefix="JEJAK_", frozen=True)

    # Where everything of the embedded mode lives: store, read models, uploads, outbox, secrets.
    data: Path = Path("data")
    # Folder with offices/, permits/ and accounts/.
    config: Path = _DEPLOY
    host: str = "127.0.0.1"
    port: int = 8600

    # Many machines: a PostgreSQL DSN, or a KurrentDB address for the store, and Kafka brokers.
    postgres: SecretStr | None = None
    kurrent: SecretStr | None = None
    kafka: str | None = None
    # Where each service answers, when they do not share one origin.
    intake_url: str = ""
    workflow_url: str = ""
    payment_url: str = ""
    notify_url: str = ""
    # A folder with one file per secret, where an installation hands them in; else made in data.
    secrets: Path | None = None
    https: bool = False

    # Who is told what and when: an installation's own file, or the one that ships with notify.
    notify_rules: Path | None = None
    # Messages go to the outbox unless a provider is configured.
    whatsapp_url: str = ""
    whatsapp_phone_id: str = ""
    whatsapp_token: SecretStr | None = None
    whatsapp_app_secret: SecretStr | None = None
    whatsapp_verify_token: SecretStr | None = None
    kannel_url: str = ""
    kannel_user: str = ""
    kannel_password: SecretStr | None = None
    kannel_sender: str = "JEJAK"
    twilio_url: str = ""
    twilio_account: str = ""
    twilio_token: SecretStr | None = None
    # A number, a name, or the id of a messaging service (MG..).
    twilio_sender: str = ""
    eightx8_url: str = ""
    eightx8_account: str = ""
    eightx8_key: SecretStr | None = None
    eightx8_sender: str = "JEJAK"
    # E-mail goes out by smtp://, smtp+starttls:// or smtps://, host and port; sender: an address.
    mail_url: str = ""
    mail_user: str = ""
    mail_password: SecretStr | None = None
    mail_sender: str = ""
    # How long a call may be without an outcome before it is unknown (longer than any call takes),
    # and how long a report is awaited about an unknown one before it is sent once more.
    message_stuck_seconds: float = Field(default=60.0, gt=0)
    message_unknown_seconds: float = Field(default=600.0, gt=0)

    # Messages per second, 0 for no limit; where several processes send, each has its share. Meta
    # allows 80 for a number, and one person a message every six seconds.
    whatsapp_per_second: float = 80.0
    whatsapp_gap_seconds: float = 6.0
    kannel_per_second: float = 0.0
    twilio_per_second: float = 0.0
    eightx8_per_second: float = 0.0
    mail_per_second: float = 0.0
    # The hosts that providers may live at, separated by commas; empty: those of their addresses.
    outbound_hosts: str = ""
    # Where our own mail server hands in what people send to an office: host:port, spoken LMTP.
    mail_in: str = ""

    # Where the demonstration's bank shows its page; empty where there is a real bank.
    bank_page: str = ""

    # How often the sweep looks for due timers, in seconds.
    sweep_seconds: float = 1.0
    log_level: str = "INFO"

    @property
    def has_worker(self) -> bool:
        """Whether events travel through Kafka, where the Faust worker runs its share."""
        return self.kafka is not None

    @property
    def urls(self) -> dict[str, str]:
        """Base URL of each service; empty where all share one origin."""
        return {name: str(getattr(self, f"{name}_url")).rstrip("/") for name in SERVICES}


def kept_secret(folder: Path, name: str) -> str:
    """Return the secret in ``folder/name.secret``, a random one that is made at the first call.

    The file is created readable by its owner only; a second process that loses the race reads what
    the first one wrote.
    """
    file = folder / f"{name}.secret"
    if file.exists():
        return file.read_text().strip()
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{name}.{secrets.token_hex(4)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(secrets.token_urlsafe(32))
    try:
        # A hard link is made whole or not at all, so nobody ever reads half a secret.
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return file.read_text().strip()
