"""A bank partner's profile: a file that says how this partner talks. Never guessed from traffic."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from shared.errors import BadConfiguration, Refused
from shared.offices import FileModel, Identifier, LocalText, load_yaml

# What registration numbers look like: BGR-2026-000042.
_NUMBER = re.compile(r"[A-Z]{2,5}-(20[0-9]{2})-([0-9]{1,7})", re.ASCII)


class NoVirtualAccount(Refused):
    """No virtual account can be derived: the office or its number is not served by a bank."""

    code = "no-virtual-account"
    text = "No bank takes payments for this office, or the registration number is not one of ours."


class BankProfile(FileModel):
    """One partner of one dialect.

    ``signature`` is the encoding of its signatures and ``body`` what they cover; ``zone`` says when
    its day begins; ``prefix`` is the partnerServiceId without padding; ``secret`` names a kept
    secret; ``public_key`` is a PEM file in the data folder. ``offices`` gives each office the
    number that starts its virtual accounts: it is never given to another office.
    """

    id: Identifier
    dialect: Literal["snap"]
    name: LocalText
    client_id: Annotated[str, Field(min_length=1, max_length=36)]
    partner_id: Annotated[str, Field(min_length=1, max_length=36)]
    prefix: Annotated[str, Field(pattern=r"^[0-9]{1,8}$")]
    signature: Literal["hex", "base64"]
    body: Literal["minified", "raw"] = "minified"
    skew_seconds: Annotated[int, Field(ge=1, le=900)] = 300
    token_seconds: Annotated[int, Field(ge=60, le=3600)] = 900
    zone: ZoneInfo = ZoneInfo("Asia/Jakarta")
    secret: Identifier
    public_key: Annotated[str, Field(pattern=r"^[a-z0-9-]+(/[a-z0-9-]+)*\.pem$")]
    offices: dict[Identifier, Annotated[int, Field(ge=1, le=999)]]
    how_to_pay: tuple[LocalText, ...]
    source: str


class Banks:
    """All partners, by the ids that their calls carry."""

    def __init__(self, profiles: Iterable[BankProfile]) -> None:
        """Raises BadConfiguration when two profiles could be mistaken for each other."""
        self.all = tuple(profiles)
        for name in ("id", "client_id", "partner_id", "prefix"):
            _unique(name, [getattr(profile, name) for profile in self.all])
        _unique("offices", [office for profile in self.all for office in profile.offices])
        for profile in self.all:
            _unique(f"{profile.id}: offices", list(profile.offices.values()))

    @classmethod
    def load(cls, folder: Path) -> Banks:
        """Read ``folder/*.yaml``. Raises BadConfiguration naming the file and the place."""
        return cls(load_yaml(file, BankProfile) for file in sorted(folder.glob("*.yaml")))

    def of_office(self, office: str) -> BankProfile | None:
        """Return the partner that takes an office's payments."""
        return next((profile for profile in self.all if office in profile.offices), None)

    def of_client(self, client_id: str) -> BankProfile | None:
        """Return the partner behind an X-CLIENT-KEY."""
        return next((profile for profile in self.all if profile.client_id == client_id), None)

    def of_partner(self, partner_id: str) -> BankProfile | None:
        """Return the partner behind an X-PARTNER-ID."""
        return next((profile for profile in self.all if profile.partner_id == partner_id), None)

    def virtual_account(self, office: str, number: str) -> str:
        """Return the number to pay to for one application: prefix and customer number.

        The customer number is office (3 digits), year (2), running number (7) and a check digit.
        Offices never share a number and an office never gives a registration number twice, so two
        applications never share an account. Raises NoVirtualAccount.
        """
        profile, parts = self.of_office(office), _NUMBER.fullmatch(number)
        if profile is None or parts is None:
            raise NoVirtualAccount
        body = f"{profile.offices[office]:03d}{parts[1][2:]}{int(parts[2]):07d}"
        return f"{profile.prefix}{body}{check_digit(body)}"


def check_digit(digits: str) -> int:
    """Return Luhn's check digit (ISO/IEC 7812): a mistyped digit is noticed."""
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits)))
    return -sum(value - 9 if value > 9 else value for value in doubled) % 10


def _unique(what: str, values: list[str] | list[int]) -> None:
    if len(set(values)) != len(values):
        raise BadConfiguration(file="banks", reason=f"{what}: the same value twice")
