"""What the log says of money, added up: the books that must balance to the rupiah.

Every figure comes from the events alone, in one pass; what read models and banks say is held
against it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from services.payment.settlement.facts import LineId
from services.payment.settlement.matching import line_key
from shared.codec import Codec
from shared.contracts import payment as e
from shared.events import Recorded
from shared.store import EventStore

_BATCH = 5000
_TOPIC = ("bill-", "suspense-", "settlement-", "closing-")


async def decoded(store: EventStore) -> AsyncIterator[tuple[Recorded, Any]]:
    """Yield every event of the log in order; events that are not payment's come as None."""
    codec, position = Codec(), 0
    while batch := await store.read_all(position, _BATCH):
        for recorded in batch:
            ours = recorded.stream.startswith(_TOPIC)
            yield recorded, codec.decode(recorded) if ours else None
        position = batch[-1].position


@dataclass
class Books:
    """Money by what names it: a bank's receipt number, a line of a file, a case of suspense.

    ``received``, ``aside`` and ``settled`` are lists, so that anything twice shows. Amounts are
    whole rupiah.
    """

    received: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    aside: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    reversed: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    requests: Counter[str] = field(default_factory=Counter)
    settled: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    lines: dict[str, e.SettlementLine] = field(default_factory=dict)
    accepted: dict[str, e.SettlementFileAccepted] = field(default_factory=dict)
    taking: set[str] = field(default_factory=set)
    rejected: Counter[str] = field(default_factory=Counter)
    cases: dict[str, e.SuspenseOpened] = field(default_factory=dict)
    opened_by: dict[str, int] = field(default_factory=dict)
    taken_back: Counter[str] = field(default_factory=Counter)
    paid: Counter[str] = field(default_factory=Counter)
    proofs: dict[tuple[str, str], e.SettlementDayProved] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)

    @classmethod
    async def of(cls, store: EventStore) -> Books:
        """Add up a whole log. Raises AssertionError for an event that is there twice."""
        books = cls()
        ids: set[str] = set()
        versions: Counter[str] = Counter()
        async for recorded, event in decoded(store):
            assert recorded.event_id not in ids, recorded
            ids.add(recorded.event_id)
            versions[recorded.stream] += 1
            assert recorded.version == versions[recorded.stream], recorded
            if event is not None:
                books.kinds[type(event).__name__] += 1
                books._add(event)
        return books

    def _add(self, event: Any) -> None:
        match event:
            case e.PaymentReceived():
                self.received[event.reference].append(event.amount)
                self.requests[event.request_id] += 1
                self.paid[event.bill_id] += 1
            case e.PaymentSetAside() | e.DuplicatePaymentFound():
                self.aside[event.reference].append(event.amount)
                self.opened_by[event.suspense_id] = event.amount
            case e.PaymentReversed():
                self.reversed[event.reference].append(event.amount)
                self.paid[event.bill_id] -= not event.suspense_id
            case e.PaymentSettled():
                key = line_key(LineId(event.settlement_id, event.line))
                self.settled[key].append(event.amount)
            case e.SuspenseOpened():
                assert event.suspense_id not in self.cases, event
                self.cases[event.suspense_id] = event
            case e.SuspenseReversed():
                self.taken_back[event.suspense_id] += 1
            case e.SettlementDayProved():
                self.proofs[event.partner, event.day] = event
            case _:
                self._file(event)

    def _file(self, event: Any) -> None:
        match event:
            case e.SettlementFileOpened():
                self.taking.add(event.settlement_id)
            case e.SettlementFileRejected():
                self.rejected[event.reason] += 1
            case e.SettlementFileAccepted():
                assert event.settlement_id not in self.accepted, event
                self.accepted[event.settlement_id] = event
            case e.SettlementLinesRecorded():
                for line in event.lines:
                    key = line_key(LineId(event.settlement_id, line.line))
                    assert key not in self.lines, key
                    self.lines[key] = line

    @property
    def held(self) -> int:
        """Return what suspense opened and no bank took back, in rupiah."""
        cases = self.cases.items()
        return sum(case.amount for name, case in cases if not self.taken_back[name])

    def check(self) -> None:
        """Nothing is there twice, and every rupiah of one record is in its counterpart."""
        for moneys in (self.received, self.aside, self.reversed, self.settled):
            assert {name: found for name, found in moneys.items() if len(found) > 1} == {}
        assert {name for name, times in self.requests.items() if times > 1} == set()
        assert set(self.received) & set(self.aside) == set()
        assert set(self.paid.values()) <= {0, 1}, "a bill holds two payments"
        self._check_suspense()
        self._check_files()

    def _check_suspense(self) -> None:
        """What bills set aside, and nothing else but orphans, is held."""
        from_bills = {
            name: case.amount for name, case in self.cases.items() if case.reason != "orphan"
        }
        assert from_bills == self.opened_by
        for case in self.cases.values():
            if case.reason == "orphan":
                assert self.lines[case.request_id].amount == case.amount

    def _check_files(self) -> None:
        """Every file is whole, and a settled line settles its own amount."""
        assert self.taking == set(self.accepted), "a file was left in the middle"
        sums: defaultdict[str, list[int]] = defaultdict(list)
        for key, line in self.lines.items():
            sums[key.rpartition(":")[0]].append(line.amount)
        for name, accepted in self.accepted.items():
            assert len(sums[name]) == accepted.lines
            assert sum(sums[name]) == accepted.credits - accepted.debits
        for key, (amount,) in self.settled.items():
            assert self.lines[key].amount == amount
