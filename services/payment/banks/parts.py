"""Wires what talks with banks; every rule is elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter

from services.payment.banks.announcements import Announcements
from services.payment.banks.api import legacy_router, snap_router
from services.payment.banks.calling import Bank, Line
from services.payment.banks.days import Days
from services.payment.banks.dialects import AnyProfile, LegacyVaProfile, QrisProfile, SnapProfile
from services.payment.banks.door import Door
from services.payment.banks.doubts import INQUIRY, Doubts
from services.payment.banks.hints import Hints
from services.payment.banks.keys import Keys
from services.payment.banks.ledger import Ledger
from services.payment.banks.legacy_calls import LegacyVaBank, QrisBank
from services.payment.banks.news import News
from services.payment.banks.profile import Banks
from services.payment.banks.recording import Recorder
from services.payment.banks.repair import Repair
from services.payment.banks.snap_calls import SnapBank
from services.payment.banks.teller import Tellers
from services.payment.banks.tokens import AccessTokens
from services.payment.banks.virtual_account import VirtualAccounts
from services.payment.views import BillViews
from shared.database import Database
from shared.reactions import Reactor
from shared.service import Kernel, Task
from shared.topics import PAYMENT


@dataclass(frozen=True)
class BankParts:
    """What payment's service takes over.

    ``doubts`` and ``announcements`` are for its pages; ``repair`` is the task ``banks``, a round of
    which may be asked for.
    """

    routers: Sequence[APIRouter]
    reactors: Sequence[Reactor]
    tasks: Mapping[str, Task]
    doubts: Doubts
    announcements: Announcements
    repair: Repair


def build(kernel: Kernel, database: Database, banks: Banks, views: BillViews) -> BankParts:
    """Return the routes, reactions and tasks of all dialects."""
    settings, now = kernel.settings, kernel.now
    keys = Keys(kernel.secret, settings.data, now)
    recorder = Recorder(kernel.handler, views, kernel.catalogue, now)
    doubts, announcements = Doubts(database, now), Announcements(database, now)
    days = Days(database, now)
    lines = {profile.id: bank for profile in banks.all if (bank := _line(profile, keys, kernel))}
    repair = Repair(
        banks, lines, recorder, doubts, announcements, days, now, settings.sweep_seconds
    )

    async def inquired(profile: SnapProfile, virtual_account: str) -> None:
        if profile.calls is not None:
            wait = timedelta(minutes=profile.calls.ask_after_minutes)
            await doubts.note(profile.id, virtual_account, INQUIRY, wait=wait)

    door = Door(banks, AccessTokens(kernel.secret("bank-tokens")), keys)
    accounts = VirtualAccounts(recorder, Ledger(database), now, inquired)
    hints = Hints(banks, recorder, doubts, repair.wake)
    tellers = Tellers(banks, keys, recorder, now)
    news = News(banks, doubts, announcements, recorder, repair.wake)
    return BankParts(
        routers=[snap_router(door, accounts, now), legacy_router(hints, tellers)],
        reactors=[Reactor("payment.banks", (PAYMENT.name,), news.table(), kernel.codec, database)],
        tasks={"banks": repair.run},
        doubts=doubts,
        announcements=announcements,
        repair=repair,
    )


def _line(profile: AnyProfile, keys: Keys, kernel: Kernel) -> Bank | None:
    """Return how a partner is called; None for one that is not."""
    match profile:
        case SnapProfile(calls=calls) if calls is not None:
            return SnapBank(profile, Line(calls), keys, kernel.now)
        case LegacyVaProfile():
            return LegacyVaBank(profile, Line(profile.calls), keys, kernel.now)
        case QrisProfile():
            return QrisBank(profile, Line(profile.calls), keys, kernel.now)
        case _:
            return None
