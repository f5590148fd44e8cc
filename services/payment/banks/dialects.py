"""A bank partner's profile: a file that says how this partner talks. Never guessed from traffic.

::

    BankProfile             what every partner has: offices, zone, cut-off, secrets, our calls
    ├── AccountProfile      gives each bill its virtual account
    │   ├── SnapProfile         D  SNAP BI, signed both ways
    │   └── LegacyVaProfile     A  unsigned callback: a hint, confirmed by a signed inquiry
    └── ServingProfile      takes money for bills whose account another partner gave
        ├── QrisProfile         B  unsigned callback, the same rule
        └── TellerProfile       C  teller and ATM, host to host
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from ipaddress import ip_address
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, RootModel, model_validator

from services.payment.banks.snap import Encoding
from services.payment.settlement.layout import SettlementLayout
from shared.offices import FileModel, Identifier, LocalText
from shared.text import msg

ClientId = Annotated[str, Field(min_length=1, max_length=36)]
Secrets = Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=4)]
PemFile = Annotated[str, Field(pattern=r"^[a-z0-9-]+(/[a-z0-9-]+)*\.pem$")]
PemFiles = Annotated[tuple[PemFile, ...], Field(min_length=1, max_length=4)]
Prefix = Annotated[str, Field(pattern=r"^[0-9]{1,8}$")]
ClosedHours = Annotated[
    str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$")
]
CallPath = Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._{}-]+)+$")]


_OTHER_HOST = msg("The host of base_url must be one of hosts.")
_NOT_HTTPS = msg("The address of a bank begins with https://.")
_NOT_BASE = msg("Write a scheme, a host and perhaps a port and a path; nothing else.")
_ONE_INVOICE = msg("Name {invoice} once in this path.")


class Calls(FileModel):
    """How we call the bank.

    ``base_url`` is https (http only to this machine), ``hosts`` are what may be called at all.
    ``client_id`` is who we are there. ``announce`` says that the bank must be told of every bill.
    A bill that was inquired about and is still open ``ask_after_minutes`` later is asked about.
    """

    base_url: str
    hosts: Annotated[tuple[str, ...], Field(min_length=1)]
    client_id: ClientId
    announce: bool = False
    ask_after_minutes: Annotated[int, Field(ge=1, le=1440)] = 15
    timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 10.0

    @model_validator(mode="after")
    def _check_address(self) -> Self:
        parts = urlsplit(self.base_url)
        host = parts.hostname or ""
        if host not in self.hosts:
            raise ValueError(_OTHER_HOST)
        if parts.scheme != "https" and not (parts.scheme == "http" and _is_this_machine(host)):
            raise ValueError(_NOT_HTTPS)
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError(_NOT_BASE)
        return self


class SnapCalls(Calls):
    """SNAP: our own key pair and ids at the bank. ``secret`` and ``private_key`` are references."""

    partner_id: ClientId
    secret: Identifier
    private_key: PemFile
    # The day's report (service 35) finds what no callback told.
    report: bool = True


class LegacyCalls(Calls):
    """The legacy dialects: ``secret`` signs both the token request and every call."""

    secret: Identifier


class BankProfile(FileModel):
    """What every partner has.

    ``zone`` is the partner's own; ``cut_off`` are the minutes in which it takes nothing
    (``23:45-00:15``) and at whose beginning its business day ends. ``secrets`` name kept secrets:
    all of them are accepted, so that one can follow the other without a pause.
    """

    id: Identifier
    name: LocalText
    zone: ZoneInfo = ZoneInfo("Asia/Jakarta")
    cut_off: ClosedHours | None = None
    how_to_pay: tuple[LocalText, ...] = ()
    settlement: SettlementLayout | None = None
    source: str

    def closed(self, at: datetime) -> bool:
        """Say whether the partner's cut-off is in progress at an instant."""
        if self.cut_off is None:
            return False
        begins, ends = _span(self.cut_off)
        local = at.astimezone(self.zone).time()
        if begins <= ends:
            return begins <= local < ends
        return local >= begins or local < ends

    def business_day(self, at: datetime) -> date:
        """Return the partner's business day of an instant: it ends where the cut-off begins."""
        local = at.astimezone(self.zone)
        if self.cut_off is None:
            return local.date()
        begins, _ = _span(self.cut_off)
        # A cut-off after midnight closes the day before.
        early = begins < time(12)
        if early:
            return local.date() - timedelta(days=local.time() < begins)
        return local.date() + timedelta(days=local.time() >= begins)


class AccountProfile(BankProfile):
    """A partner that gives bills their virtual accounts.

    ``prefix`` starts them, without padding; ``offices`` gives each office the number that follows:
    it is never given to another office.
    """

    prefix: Prefix
    offices: dict[Identifier, Annotated[int, Field(ge=1, le=999)]]

    def serves(self, office: str) -> bool:
        """Say whether this partner takes an office's money."""
        return office in self.offices


class ServingProfile(BankProfile):
    """A partner that takes money for bills whose virtual account another partner gave."""

    offices: tuple[Identifier, ...]

    def serves(self, office: str) -> bool:
        """Say whether this partner takes an office's money."""
        return office in self.offices


class SnapProfile(AccountProfile):
    """Dialect D, SNAP BI.

    ``signature`` is the encoding of signatures and ``body`` what they cover; ``proof`` is how
    transactions are signed. ``public_keys`` are PEM files in the data folder. ``amount`` is
    ``closed`` (exactly the bill's) or ``open``. ``reversal_service`` is the two-digit service code
    under which this partner takes a payment back, where it does: the standard has none.
    """

    dialect: Literal["snap"]
    client_id: ClientId
    partner_id: ClientId
    channel_id: Annotated[str, Field(pattern=r"^[0-9]{5}$")]
    signature: Encoding
    body: Literal["minified", "raw"] = "minified"
    proof: Literal["symmetric", "asymmetric"] = "symmetric"
    amount: Literal["closed", "open"] = "closed"
    skew_seconds: Annotated[int, Field(ge=1, le=900)] = 300
    token_seconds: Annotated[int, Field(ge=60, le=3600)] = 900
    secrets: Secrets
    public_keys: PemFiles
    reversal_service: Annotated[str, Field(pattern=r"^[0-9]{2}$")] | None = None
    calls: SnapCalls | None = None


class LegacyVaProfile(AccountProfile):
    """Dialect A: nothing in its callback is believed until our signed inquiry confirms it."""

    dialect: Literal["va-legacy"]
    calls: LegacyCalls


class QrisProfile(ServingProfile):
    """Dialect B: the same rule. ``inquiry_path`` is where an ``{invoice}`` is asked about."""

    dialect: Literal["qris-legacy"]
    inquiry_path: CallPath
    calls: LegacyCalls

    @model_validator(mode="after")
    def _check_path(self) -> Self:
        if self.inquiry_path.count("{invoice}") != 1:
            raise ValueError(_ONE_INVOICE)
        return self


class TellerProfile(ServingProfile):
    """Dialect C: the bank's host asks and reports.

    It proves itself by ``proof``: one of ``secrets`` in the header ``header``, or as the password
    of ``username`` (HTTP basic).
    """

    dialect: Literal["teller"]
    proof: Literal["header", "basic"]
    header: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{1,39}$")] = "X-Api-Key"
    username: Annotated[str, Field(pattern=r"^[!-9;-~]{1,64}$")] = "bank"
    secrets: Secrets


AnyProfile = SnapProfile | LegacyVaProfile | QrisProfile | TellerProfile
CallingProfile = SnapProfile | LegacyVaProfile | QrisProfile


class ProfileFile(RootModel[Annotated[AnyProfile, Field(discriminator="dialect")]]):
    """A file in ``banks/``: its ``dialect`` says which of the four it is."""


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _span(text: str) -> tuple[time, time]:
    begins, ends = text.split("-")
    return time.fromisoformat(begins), time.fromisoformat(ends)
