"""The rest of the fold: suspense, refunds, and what needs people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from shared.contracts import payment as e
from shared.database import Transaction
from shared.events import Recorded

Subject = tuple[str, str, str]
"""What a problem is about: its id, the application, and the registration number."""


def note(
    tx: Transaction,
    office: str,
    kind: str,
    subject: Subject,
    amount: int,
    detail: str,
    recorded: Recorded,
) -> None:
    """Put a problem on the list."""
    tx.execute(
        "INSERT INTO treasury_problems (problem_id, office, kind, subject, application_id, number, "
        "amount, detail, state, since_us, changed_us) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?) ON CONFLICT (problem_id) DO NOTHING",
        (
            recorded.event_id,
            office,
            kind,
            *subject,
            amount,
            detail,
            recorded.occurred_us,
            recorded.occurred_us,
        ),
    )


def solve(tx: Transaction, subject: str, kind: str, recorded: Recorded) -> None:
    """Take what was wrong with a subject off the list: an event shows that it is right now."""
    tx.execute(
        "UPDATE treasury_problems SET state = 'solved', changed_us = ? "
        "WHERE subject = ? AND kind = ? AND state = 'open'",
        (recorded.occurred_us, subject, kind),
    )


def _opened(tx: Transaction, event: e.SuspenseOpened, recorded: Recorded) -> None:
    rows = tx.execute("SELECT number FROM treasury_bills WHERE bill_id = ?", (event.bill_id,))
    tx.execute(
        "INSERT INTO treasury_suspense (suspense_id, office, partner, amount, held, reason, "
        "source, reference, application_id, number, claimed_by, state, opened_us, changed_us) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', 'held', ?, ?) "
        "ON CONFLICT (suspense_id) DO NOTHING",
        (
            event.suspense_id,
            event.office,
            event.partner,
            event.amount,
            event.amount,
            event.reason,
            event.source,
            event.reference or event.request_id,
            event.application_id,
            rows[0][0] if rows else "",
            recorded.occurred_us,
            recorded.occurred_us,
        ),
    )


def _claimed(tx: Transaction, event: e.SuspenseClaimed, recorded: Recorded) -> None:
    _case(tx, event.suspense_id, "claimed_by = ?", (event.account,), recorded)


def _allocated(tx: Transaction, event: e.SuspenseAllocated, recorded: Recorded) -> None:
    _moved(tx, event.suspense_id, -event.amount, recorded)


def _unallocated(tx: Transaction, event: e.AllocationReversed, recorded: Recorded) -> None:
    change = "held = held + ?, state = CASE state WHEN 'closed' THEN 'held' ELSE state END"
    _case(tx, event.suspense_id, change, (event.amount,), recorded)


def _taken_back(tx: Transaction, event: e.SuspenseReversed, recorded: Recorded) -> None:
    change = "held = held - ?, state = 'reversed'"
    _case(tx, event.suspense_id, change, (event.amount,), recorded)
    # A refund that nobody approved can't go on. One that was approved may be paid already.
    tx.execute(
        "UPDATE treasury_refunds SET state = 'declined', changed_us = ? "
        "WHERE suspense_id = ? AND state = 'asked'",
        (recorded.occurred_us, event.suspense_id),
    )
    _lost(tx, event.suspense_id, recorded)


def _requested(tx: Transaction, event: e.RefundRequested, recorded: Recorded) -> None:
    tx.execute(
        "INSERT INTO treasury_refunds (refund_id, suspense_id, office, amount, requester, "
        "approver, state, reference, paid_on, asked_us, changed_us) "
        "VALUES (?, ?, ?, ?, ?, '', 'asked', '', '', ?, ?) ON CONFLICT (refund_id) DO NOTHING",
        (
            event.refund_id,
            event.suspense_id,
            event.office,
            event.amount,
            recorded.actor,
            recorded.occurred_us,
            recorded.occurred_us,
        ),
    )
    _case(tx, event.suspense_id, "state = 'asked'", (), recorded)


def _approved(tx: Transaction, event: e.RefundApproved, recorded: Recorded) -> None:
    change = "state = 'approved', approver = ?"
    _refund(tx, event.refund_id, change, (recorded.actor,), recorded)
    _case(tx, event.suspense_id, "state = 'agreed'", (), recorded)


def _declined(tx: Transaction, event: e.RefundDeclined, recorded: Recorded) -> None:
    _refund(tx, event.refund_id, "state = 'declined'", (), recorded)
    _case(tx, event.suspense_id, "state = 'held'", (), recorded)


def _paid(tx: Transaction, event: e.RefundPaid, recorded: Recorded) -> None:
    change = "state = 'paid', reference = ?, paid_on = ?"
    _refund(tx, event.refund_id, change, (event.reference, event.paid_on), recorded)
    _moved(tx, event.suspense_id, -event.amount, recorded)
    _lost(tx, event.suspense_id, recorded)


def _moved(tx: Transaction, suspense_id: str, amount: int, recorded: Recorded) -> None:
    """Change what is held. An emptied case is closed, unless the bank has the last word on it."""
    change = (
        "held = held + ?, state = CASE WHEN state = 'reversed' THEN 'reversed' "
        "WHEN held + ? = 0 THEN 'closed' ELSE 'held' END"
    )
    _case(tx, suspense_id, change, (amount, amount), recorded)


def _lost(tx: Transaction, suspense_id: str, recorded: Recorded) -> None:
    """Note money that was refunded and then taken back by the bank: the office lacks it."""
    rows = tx.execute(
        "SELECT office, application_id, number, held, reference FROM treasury_suspense "
        "WHERE suspense_id = ? AND held < 0",
        (suspense_id,),
    )
    for office, application_id, number, held, reference in rows:
        subject = (suspense_id, application_id, number)
        note(tx, office, "lost-money", subject, -held, reference, recorded)


def _case(
    tx: Transaction, suspense_id: str, change: str, values: tuple[Any, ...], recorded: Recorded
) -> None:
    tx.execute(
        f"UPDATE treasury_suspense SET {change}, changed_us = ? WHERE suspense_id = ?",
        (*values, recorded.occurred_us, suspense_id),
    )


def _refund(
    tx: Transaction, refund_id: str, change: str, values: tuple[Any, ...], recorded: Recorded
) -> None:
    tx.execute(
        f"UPDATE treasury_refunds SET {change}, changed_us = ? WHERE refund_id = ?",
        (*values, recorded.occurred_us, refund_id),
    )


FOLDS: Mapping[type[Any], Callable[[Transaction, Any, Recorded], None]] = {
    e.SuspenseOpened: _opened,
    e.SuspenseClaimed: _claimed,
    e.SuspenseAllocated: _allocated,
    e.AllocationReversed: _unallocated,
    e.SuspenseReversed: _taken_back,
    e.RefundRequested: _requested,
    e.RefundApproved: _approved,
    e.RefundDeclined: _declined,
    e.RefundPaid: _paid,
}
