"""Folds ``jejak.payment`` into the treasurer's read model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from services.payment.treasury import marks
from services.payment.treasury.tables import STATEMENTS
from shared.codec import Codec
from shared.contracts import payment as e
from shared.database import Transaction
from shared.events import Recorded, to_micros
from shared.projection import OfficeProjection
from shared.topics import PAYMENT

Money = e.PaymentReceived | e.PaymentSetAside | e.DuplicatePaymentFound
_BILL_STATES: dict[type[Any], str] = {
    e.BillCancelled: "cancelled",
    e.BillExpired: "expired",
    e.BillReplaced: "replaced",
}


class TreasuryProjection(OfficeProjection):
    """One fold for bills, payments, suspense, refunds and problems."""

    name = "treasury"
    topics = (PAYMENT.name,)
    statements = STATEMENTS

    def __init__(self, codec: Codec) -> None:
        """Decode with ``codec``. Live pages hear the bus, so nobody listens here."""
        super().__init__(codec)
        self._folds: dict[type[Any], Callable[[Transaction, Any, Recorded], None]] = {
            e.BillIssued: _issue,
            e.BillCancelled: _bill_ended,
            e.BillExpired: _bill_ended,
            e.BillReplaced: _bill_ended,
            e.BillingRejected: _no_bill,
            e.PaymentReceived: _money,
            e.PaymentSetAside: _money,
            e.DuplicatePaymentFound: _money,
            e.PaymentReversed: _reversed,
            e.PaymentSettled: _settled,
            e.PaymentDisputed: _disputed,
            e.PaymentContradicted: _contradicted,
            **marks.FOLDS,
        }

    def apply(self, tx: Transaction, events: Sequence[Recorded]) -> None:
        """Fold events, in order, into rows."""
        for recorded in events:
            event = self._codec.decode(recorded)
            fold = self._folds.get(type(event))
            # Another event of this topic tells the treasurer nothing.
            if fold is not None:
                fold(tx, event, recorded)


def _issue(tx: Transaction, bill: e.BillIssued, recorded: Recorded) -> None:
    tx.execute(
        "INSERT INTO treasury_bills (bill_id, application_id, number, office, permit_type, "
        "virtual_account, kind, letter, amount, due_on, state, issued_us, changed_us) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?) ON CONFLICT (bill_id) DO NOTHING",
        (
            bill.bill_id,
            bill.application_id,
            bill.number,
            bill.office,
            bill.permit_type,
            bill.virtual_account,
            bill.kind,
            bill.letter,
            bill.amount,
            bill.due_on,
            recorded.occurred_us,
            recorded.occurred_us,
        ),
    )
    marks.solve(tx, bill.application_id, "no-bill", recorded)


def _bill_ended(tx: Transaction, event: Any, recorded: Recorded) -> None:
    _bill_state(tx, event.bill_id, _BILL_STATES[type(event)], recorded)


def _bill_state(tx: Transaction, bill_id: str, state: str, recorded: Recorded) -> None:
    tx.execute(
        "UPDATE treasury_bills SET state = ?, changed_us = ? WHERE bill_id = ?",
        (state, recorded.occurred_us, bill_id),
    )


def _no_bill(tx: Transaction, event: e.BillingRejected, recorded: Recorded) -> None:
    marks.solve(tx, event.application_id, "no-bill", recorded)
    subject = (event.application_id, event.application_id, event.number)
    marks.note(tx, event.office, "no-bill", subject, 0, event.reason, recorded)


def _money(tx: Transaction, event: Money, recorded: Recorded) -> None:
    kind = {e.PaymentReceived: "payment", e.PaymentSetAside: "set-aside"}.get(
        type(event), "duplicate"
    )
    number, office = _bill(tx, event.bill_id)
    tx.execute(
        "INSERT INTO treasury_payments (payment_id, application_id, bill_id, number, office, kind, "
        "partner, request_id, reference, amount, paid_us, source, state, suspense_id, "
        "settlement_id, line, value_on, changed_us) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'reported', ?, '', 0, '', ?) "
        "ON CONFLICT (payment_id) DO NOTHING",
        (
            recorded.event_id,
            event.application_id,
            event.bill_id,
            number,
            office,
            kind,
            event.partner,
            event.request_id,
            event.reference,
            event.amount,
            _micros(event.paid_at, recorded),
            event.source,
            getattr(event, "suspense_id", ""),
            recorded.occurred_us,
        ),
    )
    if kind == "payment":
        _bill_state(tx, event.bill_id, "paid", recorded)


def _reversed(tx: Transaction, event: e.PaymentReversed, recorded: Recorded) -> None:
    found = _payment(tx, event)
    if found is None:
        return
    payment_id, kind = found
    tx.execute(
        "UPDATE treasury_payments SET state = 'reversed', changed_us = ? WHERE payment_id = ?",
        (recorded.occurred_us, payment_id),
    )
    marks.solve(tx, payment_id, "dispute", recorded)
    marks.solve(tx, event.bill_id, "contradiction", recorded)
    if kind == "payment":
        _bill_state(tx, event.bill_id, "open", recorded)


def _settled(tx: Transaction, event: e.PaymentSettled, recorded: Recorded) -> None:
    found = _payment(tx, event)
    if found is None:
        return
    tx.execute(
        "UPDATE treasury_payments SET state = 'settled', settlement_id = ?, line = ?, "
        "value_on = ?, changed_us = ? WHERE payment_id = ? AND state <> 'reversed'",
        (event.settlement_id, event.line, event.value_on, recorded.occurred_us, found[0]),
    )
    marks.solve(tx, found[0], "dispute", recorded)
    # What arrived is what counts, whatever the bank said meanwhile.
    marks.solve(tx, event.bill_id, "contradiction", recorded)


def _disputed(tx: Transaction, event: e.PaymentDisputed, recorded: Recorded) -> None:
    found = _payment(tx, event)
    if found is None:
        return
    tx.execute(
        "UPDATE treasury_payments SET state = 'disputed', changed_us = ? "
        "WHERE payment_id = ? AND state = 'reported'",
        (recorded.occurred_us, found[0]),
    )
    number, _ = _bill(tx, event.bill_id)
    subject = (found[0], event.application_id, number)
    marks.note(tx, event.office, "dispute", subject, event.amount, event.reference, recorded)


def _contradicted(tx: Transaction, event: e.PaymentContradicted, recorded: Recorded) -> None:
    number, office = _bill(tx, event.bill_id)
    subject = (event.bill_id, event.application_id, number)
    detail = event.virtual_account
    marks.note(tx, office, "contradiction", subject, event.amount, detail, recorded)


def _bill(tx: Transaction, bill_id: str) -> tuple[str, str]:
    """Return a bill's registration number and office."""
    rows = tx.execute("SELECT number, office FROM treasury_bills WHERE bill_id = ?", (bill_id,))
    return (rows[0][0], rows[0][1]) if rows else ("", "")


def _payment(tx: Transaction, event: Any) -> tuple[str, str] | None:
    """Return id and kind of the money that a partner's words name, as the bill's decider does."""
    rows = tx.execute(
        "SELECT payment_id, kind, request_id, reference FROM treasury_payments "
        "WHERE application_id = ? AND partner = ?",
        (event.application_id, event.partner),
    )
    for payment_id, kind, request_id, reference in rows:
        if (request_id and request_id == event.request_id) or (
            reference and reference == event.reference
        ):
            return payment_id, kind
    return None


def _micros(instant: str, recorded: Recorded) -> int:
    """Return the bank's own time, or ours where it gave none."""
    return to_micros(datetime.fromisoformat(instant)) if instant else recorded.occurred_us
