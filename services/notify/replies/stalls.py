"""Which stall an officer's reply is about: the one it answers, names, or the only one open.

The read models say where to look; the permits' own streams say what is open.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from services.notify.message import DECIDER, NotQueued, message_stream
from services.notify.people.persons import Persons
from services.notify.people.recipients import Directory
from services.notify.replies.correspondents import Correspondents
from services.notify.replies.meaning import addressed
from services.notify.rulebook.rules import Rules
from shared.contracts import workflow
from shared.contracts.notify import ReplyReceived
from shared.handle import Handler
from shared.identity import Account, Accounts

# Nobody is asked about more files at once; the list in an answer must stay readable.
MOST: Final = 20
_ENDS: Final = frozenset({"PermitRejected", "PermitWithdrawn", "PermitClosed"})


class OpenStall(NamedTuple):
    """One stall that waits for an explanation, and its file's number."""

    number: str
    asked: workflow.StallExplanationRequested


class Named(NamedTuple):
    """What a reply is about. ``stall`` is the one found, with what is said about it.

    Without one, ``open`` lists those that it may be about; both empty: about none.
    ``asked`` says that the reply is about a stall at all, be it one that is over.
    """

    stall: OpenStall | None
    words: str
    open: tuple[OpenStall, ...]
    asked: bool


def choose(text: str, answered: Sequence[OpenStall] | None, open: Sequence[OpenStall]) -> Named:
    """Return what an officer's reply is about.

    ``answered`` are the open stalls of the message that it answers, None when it answers none of
    our alerts; ``open`` are all that were put to the officer. A number at the beginning counts
    most, for the officer wrote it.
    """
    every = {stall.number: stall for stall in (*open, *(answered or ()))}
    number, rest = addressed(text, every)
    if number:
        stall = every[number]
        return Named(stall if rest else None, rest, (stall,), asked=True)
    if number == "":
        # It names a file that waits for no explanation of theirs.
        return Named(None, rest, tuple(every.values()), asked=True)
    near = open if answered is None else answered
    if len(near) == 1 and rest:
        return Named(near[0], rest, tuple(near), asked=True)
    return Named(None, rest, tuple(near), asked=answered is not None)


def account_of(accounts: Iterable[Account], stall: OpenStall) -> Account | None:
    """Return who of the accounts with one number answers: the one that was asked, by preference."""
    asked = stall.asked
    own = [account for account in accounts if account.office == asked.office]
    return next(
        (account for account in own if account.username == asked.asked),
        next((account for account in own if asked.asked in account.roles), own[0] if own else None),
    )


class Stalls:
    """Finds open stalls and the officers that they were put to."""

    def __init__(
        self,
        handler: Handler,
        rows: Correspondents,
        directory: Directory,
        accounts: Accounts,
        persons: Persons,
        rules: Rules,
    ) -> None:
        """``rules`` tell which messages ask for an explanation."""
        self._handler = handler
        self._rows = rows
        self._directory = directory
        self._accounts = accounts
        self._persons = persons
        self._rules = tuple(rule.id for rule in rules.of_event("StallExplanationRequested"))

    def accounts(self, number: str) -> list[Account]:
        """Return the accounts of a number."""
        return [account for account in self._accounts.all() if account.phone == number]

    async def named_by(self, reply: ReplyReceived) -> Named:
        """Return what an officer's reply is about."""
        person = self._persons.of(reply.sender)
        open = await self._open(await self._rows.alerted(person, self._rules, MOST))
        answered = await self._answered(reply.in_reply_to) if reply.in_reply_to else None
        return choose(reply.text, answered, open)

    async def _open(self, applications: Iterable[str]) -> list[OpenStall]:
        return [stall for app in applications for stall in await self._of_permit(app)]

    async def _answered(self, message_id: str) -> list[OpenStall]:
        """Return the stalls still open that a message of ours, or one within it, is about."""
        found: dict[str, OpenStall] = {}
        for alert in await self._rows.answered(message_id):
            loaded = await self._handler.load(DECIDER, message_stream(alert.message_id))
            if isinstance(loaded.state, NotQueued):
                continue
            cause = loaded.events[0].cause_id
            of_permit = await self._of_permit(alert.application_id, cause)
            found |= {stall.asked.stall_id: stall for stall in of_permit}
        return list(found.values())

    async def _of_permit(self, application_id: str, cause: str = "") -> list[OpenStall]:
        """Return a permit's open stalls; only that of the question ``cause``, if it is one."""
        open: dict[str, workflow.StallExplanationRequested] = {}
        question = ""
        for recorded in await self._handler.store.read_stream(f"permit-{application_id}"):
            if recorded.type == "StallExplanationRequested":
                asked = self._handler.codec.decode(recorded)
                open[asked.stall_id] = asked
                question = asked.stall_id if recorded.event_id == cause else question
            elif recorded.type == "StallExplained":
                open.pop(self._handler.codec.decode(recorded).stall_id, None)
            elif recorded.type in _ENDS:
                open.clear()
        if question:
            open = {stall: asked for stall, asked in open.items() if stall == question}
        submitted = await self._directory.submitted(application_id) if open else None
        number = submitted.number if submitted is not None else ""
        return [OpenStall(number, asked) for asked in open.values()]
