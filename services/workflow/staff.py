"""The officers of an office as they are today: their accounts, and whose work is theirs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from services.workflow.roster import DECIDER, Roster, stream
from shared.actors import Actor, Role
from shared.handle import Handler
from shared.identity import Account, Accounts

# What a deputy takes over: the work on permits, and no authority over money or people.
DELEGATED = frozenset(
    {
        Role.COUNTER,
        Role.VERIFIER,
        Role.SURVEYOR,
        Role.ASSESSOR,
        Role.SIGNER,
        Role.AGENCY,
    }
)


@dataclass(frozen=True, slots=True)
class Staff:
    """One office's officers on one day."""

    accounts: Accounts
    office: str
    roster: Roster
    day: date

    def officer(self, username: str) -> Actor:
        """Return an officer by account name. An unknown one has no office and no roles."""
        account = self.accounts.find(username)
        return account.actor if account is not None else Actor("officer", username)

    def acting(self, account: Account) -> Actor:
        """Return an officer with the roles of the colleagues they stand in for today."""
        actor, names = account.actor, self.roster.stands_in(account.username, self.day)
        for name in sorted(names):
            absent = self.officer(name)
            roles = actor.roles | (absent.roles & DELEGATED)
            actor = replace(actor, roles=roles, agency=actor.agency or absent.agency)
        return replace(actor, stands_in=names)

    def deputy(self, username: str) -> Actor | None:
        """Return who stands in for an officer today, None when the officer is there."""
        name = self.roster.deputy(username, self.day)
        return self.officer(name) if name else None

    def colleagues(self) -> tuple[Account, ...]:
        """Return every account of the office, by display name."""
        own = (account for account in self.accounts.all() if account.office == self.office)
        return tuple(sorted(own, key=lambda account: account.display_name))


@dataclass(frozen=True, slots=True)
class Rosters:
    """Reads rosters straight from the store, so that who recorded an absence sees it at once."""

    handler: Handler
    accounts: Accounts

    async def staff(self, office: str, day: date) -> Staff:
        """Return an office's officers on a day of its own."""
        loaded = await self.handler.load(DECIDER, stream(office))
        return Staff(self.accounts, office, loaded.state, day)
