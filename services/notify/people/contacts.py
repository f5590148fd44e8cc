"""People's wishes about messages: asked before anything is queued or sent, and listed for pages.

Whoever is about to send reads the person's own stream: a STOP that was answered holds at once,
however far behind a read model is. The table ``contacts`` serves lists, without any number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from services.notify.people.contact import (
    CHANNELS,
    DECIDER,
    Command,
    Contact,
    GiveConsent,
    StatePreference,
    WithdrawConsent,
    consent_stream,
)
from services.notify.people.persons import Persons
from shared.actors import Actor
from shared.codec import Codec
from shared.contracts import notify as events
from shared.database import Database, Transaction
from shared.events import Recorded
from shared.handle import Handler
from shared.topics import NOTIFY

_TABLE = """
CREATE TABLE IF NOT EXISTS contacts_1 (
    person TEXT NOT NULL PRIMARY KEY, refused TEXT NOT NULL, channel TEXT NOT NULL,
    language TEXT NOT NULL, changed_us BIGINT NOT NULL
)
"""


class Contacts:
    """What people said, by number; and the way to say it."""

    def __init__(self, handler: Handler, persons: Persons, now: Callable[[], datetime]) -> None:
        """``persons`` names numbers; only the name reaches a stream."""
        self._handler = handler
        self._persons = persons
        self._now = now

    async def of(self, number: str) -> Contact:
        """Return what the person of ``number`` said so far, up to now."""
        stream = consent_stream(self._persons.of(number))
        return (await self._handler.load(DECIDER, stream)).state

    async def withdraw(
        self, number: str, channel: str, reason: str, *, by: Actor, cause: str
    ) -> bool:
        """Record that the person wants no more on ``channel``; ``cause`` is what told us.

        Says whether this cause was the one that told us first.
        """
        person = self._persons.of(number)
        await self._give(
            WithdrawConsent(person=person, channel=channel, reason=reason, now=self._now(), by=by),
            cause,
        )
        told = await self._handler.store.read_stream(consent_stream(person))
        return any(recorded.cause_id == cause for recorded in told)

    async def agree(self, number: str, channel: str, *, by: Actor, cause: str) -> None:
        """Record that the person wants messages on ``channel``."""
        person = self._persons.of(number)
        await self._give(GiveConsent(person=person, channel=channel, now=self._now(), by=by), cause)

    async def prefer(
        self, number: str, *, channel: str = "", language: str = "", by: Actor, cause: str
    ) -> None:
        """Record how the person wants to be told; what is empty stays as it is."""
        person = self._persons.of(number)
        command = StatePreference(
            person=person, channel=channel, language=language, now=self._now(), by=by
        )
        await self._give(command, cause)

    async def _give(self, command: Command, cause: str) -> None:
        # The person stands for the application: their wishes stay in order on the topic.
        await self._handler.handle(
            DECIDER,
            consent_stream(command.person),
            command,
            cause=cause,
            application=command.person,
        )


class ContactRow(NamedTuple):
    """One person's wishes. ``refused`` holds channels in the order of ``CHANNELS``."""

    person: str
    refused: tuple[str, ...]
    channel: str
    language: str
    changed_us: int


class ContactsProjection:
    """Folds consents and preferences of ``jejak.notify`` into ``contacts``."""

    name = "contacts-1"
    topics = (NOTIFY.name,)

    def __init__(self, codec: Codec) -> None:
        """Decode with ``codec``."""
        self._codec = codec

    def create(self, tx: Transaction) -> None:
        """Create the table."""
        tx.execute(_TABLE)

    def apply(self, tx: Transaction, recorded: Sequence[Recorded]) -> None:
        """Fold events, in order, into rows."""
        for one in recorded:
            # Messages and replies travel on the same topic.
            if one.stream.startswith("consent-"):
                self._fold(tx, self._codec.decode(one), one.occurred_us)

    def _fold(self, tx: Transaction, event: object, at: int) -> None:
        match event:
            case events.ConsentWithdrawn(person=person, channel=channel):
                row = _row(tx, person)
                refused = {*row.refused, channel}
                _put(tx, row._replace(refused=_sorted(refused), changed_us=at))
            case events.ConsentGiven(person=person, channel=channel):
                row = _row(tx, person)
                refused = {*row.refused} - {channel}
                _put(tx, row._replace(refused=_sorted(refused), changed_us=at))
            case events.ContactPreferenceStated(person=person, channel=channel, language=language):
                row = _row(tx, person)
                changed = row._replace(
                    channel=channel or row.channel, language=language or row.language
                )
                _put(tx, changed._replace(changed_us=at))
            case _:
                return


def _sorted(channels: set[str]) -> tuple[str, ...]:
    return tuple(channel for channel in CHANNELS if channel in channels)


def _row(tx: Transaction, person: str) -> ContactRow:
    rows = tx.execute(
        "SELECT person, refused, channel, language, changed_us FROM contacts_1 WHERE person = ?",
        (person,),
    )
    return _read(rows[0]) if rows else ContactRow(person, (), "", "", 0)


def _read(row: Sequence[object]) -> ContactRow:
    person, refused, channel, language, at = row
    return ContactRow(str(person), tuple(str(refused).split()), str(channel), str(language), at)  # type: ignore[arg-type]


def _put(tx: Transaction, row: ContactRow) -> None:
    tx.execute(
        "INSERT INTO contacts_1 (person, refused, channel, language, changed_us) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT (person) DO UPDATE SET refused = excluded.refused, "
        "channel = excluded.channel, language = excluded.language, "
        "changed_us = excluded.changed_us",
        (row.person, " ".join(row.refused), row.channel, row.language, row.changed_us),
    )


class ContactViews:
    """Questions to the read model."""

    def __init__(self, database: Database) -> None:
        """Ask ``database``, where the projection writes."""
        self._database = database

    async def find(self, person: str) -> ContactRow | None:
        """Return a person's row; None for one who said nothing."""
        rows = await self._database.query(
            "SELECT person, refused, channel, language, changed_us FROM contacts_1 "
            "WHERE person = ?",
            (person,),
        )
        return _read(rows[0]) if rows else None

    async def refusals(self) -> dict[str, int]:
        """Return channel -> how many people want nothing on it."""
        rows = await self._database.query("SELECT refused FROM contacts_1 WHERE refused <> ''")
        refused = [channel for (channels,) in rows for channel in channels.split()]
        return {channel: refused.count(channel) for channel in CHANNELS}
