"""What a data folder proves after the fact: the log against what was answered and what is shown."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from services.intake.application import DECIDER
from services.intake.states import held
from shared.codec import Codec
from shared.contracts.intake import ApplicationRegistered, ApplicationSubmitted
from shared.contracts.notify import MessageQueued, MessageSent
from shared.contracts.payment import BillIssued
from shared.contracts.workflow import FeeAssessed, PermitOpened, SurveySkipped
from shared.events import Fact, Recorded
from shared.store import EventStore
from tests.chaos.load import Ledger
from tests.process import jejak

# Of these a permit has one at most in the life that the load gives it.
ONCE = (
    ApplicationSubmitted,
    ApplicationRegistered,
    PermitOpened,
    SurveySkipped,
    FeeAssessed,
    BillIssued,
)


class Entry(NamedTuple):
    """One recorded event, decoded."""

    recorded: Recorded
    event: Any


async def read_log(store: EventStore) -> list[Entry]:
    """Return the whole log in order."""
    codec, entries = Codec(), list[Entry]()
    while batch := await store.read_all(entries[-1].recorded.position if entries else 0, 5000):
        entries += [Entry(recorded, codec.decode(recorded)) for recorded in batch]
    return entries


def check_acknowledged(log: Sequence[Entry], ledger: Ledger, uploads: Path) -> None:
    """Everything that was answered is there, once, as it was answered; no number serves two."""
    submitted = [entry.event for entry in log if isinstance(entry.event, ApplicationSubmitted)]
    numbers = Counter(event.number for event in submitted)
    assert [number for number, times in numbers.items() if times > 1] == []
    found = {event.application_id: event for event in submitted}
    assert len(found) == len(submitted)
    for receipt in ledger.submitted.values():
        event = found[receipt.application_id]
        assert event.number == receipt.number
        assert event.code_hash == hashlib.sha256(receipt.code.encode()).hexdigest()
    registered = Counter(
        entry.event.application_id
        for entry in log
        if isinstance(entry.event, ApplicationRegistered)
    )
    assert ledger.registered <= registered.keys()
    assert set(registered.values()) <= {1}
    acted = Counter((type(entry.event).__name__, entry.recorded.correlation_id) for entry in log)
    assert {act for act in ledger.acted if acted[act] == 0} == set()
    for sha256 in ledger.uploaded:
        content = (uploads / sha256[:2] / sha256).read_bytes()
        assert hashlib.sha256(content).hexdigest() == sha256


def check_effects(log: Sequence[Entry]) -> None:
    """Each fact had its effect in the other services exactly once: none lost, none twice."""
    happened = Counter((type(entry.event), entry.recorded.correlation_id) for entry in log)
    registered = {app for kind, app in happened if kind is ApplicationRegistered}
    assert {app for kind, app in happened if kind is PermitOpened} == registered
    assert {app for kind, app in happened if kind is BillIssued} == {
        app for kind, app in happened if kind is FeeAssessed
    }
    for (kind, application), times in happened.items():
        assert times == 1 or kind not in ONCE, (kind.__name__, application)
    queued = Counter(
        (entry.event.application_id, entry.event.rule, entry.event.recipient)
        for entry in log
        if isinstance(entry.event, MessageQueued)
    )
    assert set(queued.values()) <= {1}
    told = {(application, rule) for application, rule, _ in queued}
    submitted = {app for kind, app in happened if kind is ApplicationSubmitted}
    assert told >= {(app, "received") for app in submitted}
    assert told >= {(app, "registered") for app in registered}
    sent = Counter(e.recorded.stream for e in log if isinstance(e.event, MessageSent))
    assert set(sent.values()) <= {1}


def check_once(log: Sequence[Entry]) -> None:
    """No fact was recorded twice, and every stream is without gaps in the order of the log."""
    ids = Counter(entry.recorded.event_id for entry in log)
    assert [event_id for event_id, times in ids.items() if times > 1] == []
    versions: dict[str, int] = {}
    for recorded, _ in log:
        assert recorded.version == versions.get(recorded.stream, 0) + 1, recorded
        versions[recorded.stream] = recorded.version


def statuses(log: Sequence[Entry]) -> dict[str, str]:
    """Return application id -> intake's status, folded from its history."""
    histories: dict[str, list[Fact[Any]]] = {}
    for recorded, event in log:
        if recorded.stream.startswith("application-"):
            fact = Fact(event, recorded.occurred_at, recorded.actor)
            histories.setdefault(recorded.correlation_id, []).append(fact)
    return {
        application_id: held(DECIDER.fold(history)).status
        for application_id, history in histories.items()
    }


def listed(data: Path, sql: str) -> dict[str, str]:
    """Return what a read model's file says: the two columns that ``sql`` selects, as a mapping."""
    with closing(sqlite3.connect(data, isolation_level=None)) as database:
        return dict(database.execute(sql).fetchall())


def settle(store: Path, seconds: float = 60.0, still: float = 2.0) -> None:
    """Wait until nothing was appended for ``still`` seconds: every reaction has had its turn."""
    deadline, seen, since = time.monotonic() + seconds, -1, time.monotonic()
    with closing(sqlite3.connect(store, isolation_level=None)) as database:
        while time.monotonic() - since < still:
            (head,) = database.execute("SELECT MAX(position) FROM events").fetchone()
            if head != seen:
                seen, since = head, time.monotonic()
            assert time.monotonic() < deadline, "the office never comes to rest"
            time.sleep(0.1)


def replay_check(data: Path, env: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """Run ``jejak replay --check`` and return the rebuilt read models; fail on a difference."""
    done = jejak("--data", data, "replay", "--check", "--json", env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    rebuilt: list[dict[str, Any]] = json.loads(done.stdout)
    return rebuilt


def check_nothing_parked(data: Path, env: Mapping[str, str] | None = None) -> None:
    """No consumer set anything aside: a kill is nobody's poison."""
    done = jejak("--data", data, "parked", "list", "--json", env=env)
    assert (done.returncode, json.loads(done.stdout)) == (0, [])
