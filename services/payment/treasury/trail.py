"""The events behind a figure: position, time, who, what. Personal data only for whom it is for."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from services.payment.treasury.wording import Teller
from shared.actors import Role
from shared.codec import Codec
from shared.contracts import payment as e
from shared.contracts.registry import BY_CLASS
from shared.events import Recorded
from shared.identity import Account
from shared.privacy import mask, personal_paths
from shared.store import EventStore
from shared.web.i18n import msg

EVENTS: Mapping[type[Any], str] = {
    e.BillIssued: msg("Bill issued"),
    e.BillCancelled: msg("Bill cancelled"),
    e.BillExpired: msg("Bill expired"),
    e.BillReplaced: msg("Bill replaced"),
    e.BillingEnded: msg("Nothing more is billed"),
    e.BillingRejected: msg("No bill could be issued"),
    e.PaymentReceived: msg("Payment received"),
    e.PaymentReported: msg("Payment reported after it was settled"),
    e.PaymentReversed: msg("Payment taken back"),
    e.UnknownPaymentReversed: msg("Payment taken back before it was reported"),
    e.PaymentSetAside: msg("Payment set aside"),
    e.DuplicatePaymentFound: msg("Second payment found"),
    e.PaymentContradicted: msg("Report contradicts an earlier one"),
    e.PaymentSettled: msg("Payment settled"),
    e.PaymentDisputed: msg("Payment disputed"),
    e.SuspenseOpened: msg("Money taken into suspense"),
    e.SuspenseClaimed: msg("Case taken on"),
    e.SuspenseAllocated: msg("Money used for a bill"),
    e.AllocationReversed: msg("Use for a bill undone"),
    e.SuspenseReversed: msg("Money taken back by the bank"),
    e.RefundRequested: msg("Refund asked for"),
    e.RefundApproved: msg("Refund approved"),
    e.RefundDeclined: msg("Refund declined"),
    e.RefundPaid: msg("Refund paid out"),
    e.SettlementFileOpened: msg("Settlement file opened"),
    e.SettlementLinesRecorded: msg("Lines of the file recorded"),
    e.SettlementFileAccepted: msg("Settlement file accepted"),
    e.SettlementFileRejected: msg("Settlement file refused"),
    e.LineMatchedByHand: msg("Line matched by hand"),
    e.LineWrittenToSuspense: msg("Line written to suspense by hand"),
    e.LineExplained: msg("Debit explained by hand"),
    e.SettlementDayProved: msg("Day proved"),
}
# The fields worth reading, in the order they are read. Ids are for programs.
_FIELDS: Mapping[str, str] = {
    "number": msg("Number"),
    "amount": msg("Amount"),
    "kind": msg("Letter"),
    "letter": msg("Letter number"),
    "due_on": msg("Pay by"),
    "virtual_account": msg("Virtual account number"),
    "partner": msg("Bank"),
    "reference": msg("Bank reference"),
    "request_id": msg("Bank request"),
    "paid_at": msg("Paid at"),
    "source": msg("Known from"),
    "reason": msg("Why"),
    "value_on": msg("Value date"),
    "line": msg("Line"),
    "account": msg("Who works on it"),
    "bank": msg("Receiver's bank"),
    "account_number": msg("Account number"),
    "account_holder": msg("Account holder"),
    "paid_on": msg("Paid out on"),
    "reversed_at": msg("Taken back"),
    "name": msg("File"),
    "first_day": msg("From"),
    "last_day": msg("Until"),
    "opening": msg("Opening balance"),
    "closing": msg("Closing balance"),
    "credits": msg("Credits"),
    "debits": msg("Debits"),
    "day": msg("Day"),
    "settled": msg("Settled"),
    "digest": msg("Digest"),
    "sha256": msg("SHA-256"),
}
_RUPIAH = frozenset({"amount", "opening", "closing", "credits", "debits", "settled"})
_DAYS = frozenset({"due_on", "value_on", "paid_on", "first_day", "last_day", "day"})
_INSTANTS = frozenset({"paid_at", "reversed_at"})
_KINDS = frozenset({"kind", "source", "reason"})


class Step(NamedTuple):
    """One event as people read it; ``fields`` are pairs of label and value.

    ``amount`` is empty for an event that moves no money.
    """

    position: int
    when: str
    who: str
    what: str
    amount: str
    fields: Sequence[tuple[str, str]]


async def steps(
    store: EventStore, codec: Codec, stream: str, teller: Teller, account: Account
) -> list[Step]:
    """Return the events of ``stream``, oldest first; personal values masked unless one may act."""
    open_to = account.has(Role.TREASURER, Role.SUPERVISOR)
    return [
        _step(recorded, codec.decode(recorded), teller, open_to)
        for recorded in await store.read_stream(stream)
    ]


def _step(recorded: Recorded, event: Any, teller: Teller, open_to: bool) -> Step:
    word = EVENTS.get(type(event), BY_CLASS[type(event)].name)
    return Step(
        recorded.position,
        teller.when(recorded.occurred_us),
        teller.person(recorded.actor),
        teller.tr.t(word),
        teller.rupiah(event.amount) if hasattr(event, "amount") else "",
        tuple(_fields(event, teller, open_to)),
    )


def _fields(event: Any, teller: Teller, open_to: bool) -> Iterator[tuple[str, str]]:
    personal = {path[0] for path in personal_paths(type(event))}
    present = {field.name for field in dataclasses.fields(event)}
    for name, label in _FIELDS.items():
        value = getattr(event, name) if name in present else None
        if value in (None, "", 0):
            continue
        said = _said(name, value, teller)
        yield teller.tr.t(label), mask(said) if name in personal and not open_to else said


def _said(name: str, value: Any, teller: Teller) -> str:
    if name in _RUPIAH:
        return teller.rupiah(value)
    if name in _DAYS:
        return teller.day(value)
    if name in _INSTANTS:
        return teller.instant(value)
    if name in _KINDS:
        return teller.kind(value)
    if name == "account":
        return teller.person(value)
    return str(value)
