"""All bank partners of an installation, and the virtual account numbers that come from them."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from services.payment.banks.dialects import (
    AccountProfile,
    AnyProfile,
    BankProfile,
    ProfileFile,
    SnapProfile,
)
from shared.errors import BadConfiguration, Refused
from shared.offices import load_yaml

__all__ = ["BankProfile", "Banks", "NoVirtualAccount", "check_digit"]

P = TypeVar("P", bound=BankProfile)

# What registration numbers look like: BGR-2026-000042.
_NUMBER = re.compile(r"[A-Z]{2,5}-(20[0-9]{2})-([0-9]{1,7})", re.ASCII)
# Office (3 digits), year (2), running number (7), check digit.
_CUSTOMER = re.compile(r"[0-9]{13}", re.ASCII)


class NoVirtualAccount(Refused):
    """No virtual account can be derived: the office or its number is not served by a bank."""

    code = "no-virtual-account"
    text = "No bank takes payments for this office, or the registration number is not one of ours."


class Banks:
    """All partners, by the ids that their calls carry."""

    def __init__(self, profiles: Iterable[AnyProfile]) -> None:
        """Raises BadConfiguration when two profiles could be mistaken for each other."""
        self.all = tuple(profiles)
        self.by_id = {profile.id: profile for profile in self.all}
        accounts = [profile for profile in self.all if isinstance(profile, AccountProfile)]
        snaps = [profile for profile in self.all if isinstance(profile, SnapProfile)]
        self._of_office = {office: profile for profile in accounts for office in profile.offices}
        self._of_client = {profile.client_id: profile for profile in snaps}
        self._of_partner = {profile.partner_id: profile for profile in snaps}
        _unique("id", [profile.id for profile in self.all])
        _unique("client_id", [profile.client_id for profile in snaps])
        _unique("partner_id", [profile.partner_id for profile in snaps])
        _unique("prefix", [profile.prefix for profile in accounts])
        _unique("offices", [office for profile in accounts for office in profile.offices])
        for profile in accounts:
            _unique(f"{profile.id}: offices", list(profile.offices.values()))

    @classmethod
    def load(cls, folder: Path, refused: Callable[[BadConfiguration], None] | None = None) -> Banks:
        """Read ``folder/*.yaml``. Raises BadConfiguration naming the file and the place.

        With ``refused`` a file that is wrong goes there instead, and the other partners are served.
        """
        profiles = []
        for file in sorted(folder.glob("*.yaml")):
            try:
                profiles.append(load_yaml(file, ProfileFile).root)
            except BadConfiguration as error:
                if refused is None:
                    raise
                refused(error)
        return cls(profiles)

    def of_office(self, office: str) -> AccountProfile | None:
        """Return the partner that gives an office's bills their accounts."""
        return self._of_office.get(office)

    def of_client(self, client_id: str) -> SnapProfile | None:
        """Return the partner behind an X-CLIENT-KEY."""
        return self._of_client.get(client_id)

    def of_partner(self, partner_id: str) -> SnapProfile | None:
        """Return the partner behind an X-PARTNER-ID."""
        return self._of_partner.get(partner_id)

    def speaking(self, dialect: type[P]) -> Sequence[P]:
        """Return the partners of one dialect."""
        return [profile for profile in self.all if isinstance(profile, dialect)]

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

    def could_be(self, virtual_account: str) -> bool:
        """Say whether a number could be one of our accounts: prefix, length and check digit fit."""
        return any(
            virtual_account.startswith(profile.prefix)
            and _CUSTOMER.fullmatch(customer := virtual_account[len(profile.prefix) :])
            and check_digit(customer[:-1]) == int(customer[-1])
            for profile in self.all
            if isinstance(profile, AccountProfile)
        )


def check_digit(digits: str) -> int:
    """Return Luhn's check digit (ISO/IEC 7812): a mistyped digit is noticed."""
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits)))
    return -sum(value - 9 if value > 9 else value for value in doubled) % 10


def _unique(what: str, values: Sequence[Hashable]) -> None:
    if len(set(values)) != len(values):
        raise BadConfiguration(file="banks", reason=f"{what}: the same value twice")
