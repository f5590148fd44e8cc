"""What one person wants of our messages: states and decisions.

::

    Silent ─▶ Stated      refuses some channels, agreed to some, prefers one, has a language

Whoever is silent may be told on every channel that a rule names. STOP on one channel says nothing
about another: an SMS may still come to whoever wants no WhatsApp.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, assert_never

from services.notify.refusals import UnknownChannel, UnknownLanguage
from shared.actors import Actor
from shared.contracts.notify import ConsentGiven, ConsentWithdrawn, ContactPreferenceStated
from shared.decider import Decider
from shared.events import AnyFact

# The ways to a person that they may refuse or prefer, and the companies that carry an SMS.
CHANNELS: Final = ("whatsapp", "sms", "email")
LANGUAGES: Final = ("id", "en")
_CARRIERS: Final = {"twilio": "sms", "8x8": "sms"}
# Why a message was not sent that its recipient wants on no channel.
OPTED_OUT: Final = "opted-out"

# Commands


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawConsent:
    """``person`` wants no more on ``channel``; ``reason`` is their word or a provider's code."""

    person: str
    channel: str
    reason: str
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveConsent:
    """``person`` wants messages on ``channel``, again or for the first time in so many words."""

    person: str
    channel: str
    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class StatePreference:
    """``person`` prefers a channel or a language; what is empty stays as it is."""

    person: str
    channel: str = ""
    language: str = ""
    now: datetime
    by: Actor


Command = WithdrawConsent | GiveConsent | StatePreference

# States


@dataclass(frozen=True, slots=True)
class Silent:
    """The person said nothing about our messages."""


@dataclass(frozen=True, slots=True)
class Stated:
    """What the person said. No channel is both in ``refused`` and in ``agreed``."""

    refused: frozenset[str] = frozenset()
    agreed: frozenset[str] = frozenset()
    channel: str = ""
    language: str = ""


Contact = Silent | Stated


def consent_stream(person: str) -> str:
    """Return the stream of a person, who is named by ``Persons.of``."""
    return f"consent-{person}"


def way_of(carrier: str) -> str:
    """Return the way that a company carries messages on: consent is about ways."""
    return _CARRIERS.get(carrier, carrier)


# Decisions


def decide(command: Command, state: Contact) -> Sequence[object]:
    """Return what comes of ``command``. Raises UnknownChannel, UnknownLanguage."""
    said = _said(state)
    match command:
        case WithdrawConsent(person=person, channel=channel, reason=reason):
            if _known(channel) in said.refused:
                return []
            return [ConsentWithdrawn(person=person, channel=channel, reason=reason)]
        case GiveConsent(person=person, channel=channel):
            if _known(channel) in said.agreed:
                return []
            return [ConsentGiven(person=person, channel=channel)]
        case StatePreference():
            return _preference(command, said)
        case _:
            assert_never(command)


def _preference(command: StatePreference, said: Stated) -> Sequence[object]:
    channel = _known(command.channel) if command.channel else said.channel
    language = command.language or said.language
    if language and language not in LANGUAGES:
        raise UnknownLanguage
    if (channel, language) == (said.channel, said.language):
        return []
    return [
        ContactPreferenceStated(
            person=command.person, channel=command.channel, language=command.language
        )
    ]


def _known(channel: str) -> str:
    if channel not in CHANNELS:
        raise UnknownChannel
    return channel


def _said(state: Contact) -> Stated:
    return state if isinstance(state, Stated) else Stated()


def evolve(state: Contact, fact: AnyFact) -> Contact:
    """Return the state after ``fact``."""
    said = _said(state)
    match fact.event:
        case ConsentWithdrawn(channel=channel):
            return replace(said, refused=said.refused | {channel}, agreed=said.agreed - {channel})
        case ConsentGiven(channel=channel):
            return replace(said, refused=said.refused - {channel}, agreed=said.agreed | {channel})
        case ContactPreferenceStated(channel=channel, language=language):
            return replace(
                said, channel=channel or said.channel, language=language or said.language
            )
        case _:
            return state


DECIDER: Decider[Contact] = Decider(Silent(), decide, evolve)

# Questions


def allows(contact: Contact, carrier: str) -> bool:
    """Say whether the person may be told through ``carrier`` (a channel or a company)."""
    return way_of(carrier) not in _said(contact).refused


def ordered(contact: Contact, channels: Iterable[str]) -> tuple[str, ...]:
    """Return ``channels`` without those refused, the preferred one first."""
    said = _said(contact)
    left = [channel for channel in channels if allows(contact, channel)]
    # Sorting keeps the order of equals: the rule's own order is left as it is.
    return tuple(sorted(left, key=lambda channel: way_of(channel) != said.channel))


def language_of(contact: Contact, otherwise: str) -> str:
    """Return the language that the person chose, else ``otherwise``."""
    return _said(contact).language or otherwise
