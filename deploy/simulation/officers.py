"""Who works: the office's accounts and as many invented colleagues as its rate needs.

Everybody works their own queue in the order in which files come, at their own speed and within
office hours. So what is given to somebody ends at an instant that is known at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from random import Random
from typing import Final, NamedTuple

from services.workflow.roster import Roster
from services.workflow.staff import Staff
from shared.actors import Actor, Role
from shared.calendar import WorkCalendar
from shared.identity import Account, Accounts
from shared.offices import Office

# How much of a working day an officer is to be busy with files. Queues grow fast beyond it: files
# come in waves, colleagues are away, and no two files take the same time.
BUSY: Final = 0.6
_MORE: Final = "contoh"


class Post(NamedTuple):
    """A kind of work: a role, and for agencies whose."""

    role: Role
    agency: str = ""


class Turn(NamedTuple):
    """When a piece of work ends, and who does it."""

    ends: datetime
    account: str


class Officers:
    """The officers of one office."""

    def __init__(
        self,
        office: Office,
        calendar: WorkCalendar,
        accounts: Accounts,
        minutes: Mapping[Post, float],
        dice: Random,
    ) -> None:
        """Staff an office for ``minutes`` of work a day at each post."""
        self.office = office.id
        self.roster = Roster()
        self._calendar = calendar
        people = [a for a in accounts.all() if a.office == office.id]
        for post, load in sorted(minutes.items()):
            there = sum(_fills(account, post) for account in people)
            needed = max(math.ceil(load / (office.day_minutes * BUSY)), 1)
            people += [_colleague(post, n, office.id) for n in range(there + 1, needed + 1)]
        self.people = tuple(people)
        self._accounts = Accounts((account, "") for account in people)
        self._speed = {a.username: min(max(dice.gauss(1.0, 0.18), 0.65), 1.6) for a in people}
        self._free: dict[str, datetime] = {}

    def at(self, post: Post) -> list[Account]:
        """Return whose work this is, whether they are there or not."""
        return [account for account in self.people if _fills(account, post)]

    def book(self, post: Post, since: datetime, minutes: float) -> Turn:
        """Give work that takes an average officer ``minutes`` to whoever begins it first."""
        turns = ((self._begins(name, since), name) for name in self._there(post, since))
        begins, name = min(turns)
        ends = self._calendar.add(begins, max(round(minutes * self._speed[name]), 1))
        self._free[name] = ends
        return Turn(ends, name)

    def actor(self, post: Post, name: str, on: date) -> Actor:
        """Return ``name`` as they act on a day; whoever else fills the post where they can't."""
        staff = self.staff(on)
        for candidate in (name, *(account.username for account in self.at(post))):
            account = self._accounts.find(candidate)
            if account is not None:
                acting = staff.acting(account)
                if post.role in acting.roles and (not post.agency or acting.agency == post.agency):
                    return acting
        raise LookupError(post)

    def staff(self, day: date) -> Staff:
        """Return the office's officers on a day."""
        return Staff(self._accounts, self.office, self.roster, day)

    def _begins(self, name: str, since: datetime) -> datetime:
        return self._calendar.next_open(max(since, self._free.get(name, since)))

    def _there(self, post: Post, since: datetime) -> Iterable[str]:
        """Return who works at a post as the office is next open: officers and their deputies."""
        day = self._calendar.local_date(self._calendar.next_open(since))
        found = {self.roster.deputy(a.username, day) or a.username for a in self.at(post)}
        return sorted(found)


def _fills(account: Account, post: Post) -> bool:
    return account.has(post.role) and account.agency == post.agency


def _colleague(post: Post, number: int, office: str) -> Account:
    """Return an invented colleague, whom the accounts don't know: nobody signs in as them."""
    name = f"{post.agency or post.role}-{_MORE}-{number}.{office}"
    return Account(name, name, frozenset({post.role}), office, agency=post.agency)
