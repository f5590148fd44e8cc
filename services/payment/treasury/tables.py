"""The treasurer's read model: its tables, and one row of each.

All of it is one fold with one position, so that the figures of one page always agree with each
other and with the lists behind them. Nothing personal is kept: a receiver's account is read from
the event store when somebody who may see it looks. Amounts are whole rupiah, ``*_us`` are
microseconds UTC, days ISO 8601 dates.
"""

from __future__ import annotations

from typing import NamedTuple

STATEMENTS = (
    """
CREATE TABLE IF NOT EXISTS treasury_bills (
    bill_id TEXT NOT NULL PRIMARY KEY, application_id TEXT NOT NULL, number TEXT NOT NULL,
    office TEXT NOT NULL, permit_type TEXT NOT NULL, virtual_account TEXT NOT NULL,
    kind TEXT NOT NULL, letter TEXT NOT NULL, amount BIGINT NOT NULL, due_on TEXT NOT NULL,
    state TEXT NOT NULL, issued_us BIGINT NOT NULL, changed_us BIGINT NOT NULL
)""",
    "CREATE INDEX IF NOT EXISTS treasury_bills_list ON treasury_bills (office, state, issued_us)",
    "CREATE INDEX IF NOT EXISTS treasury_bills_day ON treasury_bills (office, issued_us)",
    "CREATE INDEX IF NOT EXISTS treasury_bills_number ON treasury_bills (office, number)",
    "CREATE INDEX IF NOT EXISTS treasury_bills_of ON treasury_bills (application_id)",
    """
CREATE TABLE IF NOT EXISTS treasury_payments (
    payment_id TEXT NOT NULL PRIMARY KEY, application_id TEXT NOT NULL, bill_id TEXT NOT NULL,
    number TEXT NOT NULL, office TEXT NOT NULL, kind TEXT NOT NULL, partner TEXT NOT NULL,
    request_id TEXT NOT NULL, reference TEXT NOT NULL, amount BIGINT NOT NULL,
    paid_us BIGINT NOT NULL, source TEXT NOT NULL, state TEXT NOT NULL,
    suspense_id TEXT NOT NULL, settlement_id TEXT NOT NULL, line BIGINT NOT NULL,
    value_on TEXT NOT NULL, changed_us BIGINT NOT NULL
)""",
    "CREATE INDEX IF NOT EXISTS treasury_payments_day ON treasury_payments (office, paid_us)",
    "CREATE INDEX IF NOT EXISTS treasury_payments_of ON treasury_payments (application_id)",
    "CREATE INDEX IF NOT EXISTS treasury_payments_value ON treasury_payments (office, value_on)",
    "CREATE INDEX IF NOT EXISTS treasury_payments_number ON treasury_payments (office, number)",
    """
CREATE TABLE IF NOT EXISTS treasury_suspense (
    suspense_id TEXT NOT NULL PRIMARY KEY, office TEXT NOT NULL, partner TEXT NOT NULL,
    amount BIGINT NOT NULL, held BIGINT NOT NULL, reason TEXT NOT NULL, source TEXT NOT NULL,
    reference TEXT NOT NULL, application_id TEXT NOT NULL, number TEXT NOT NULL,
    claimed_by TEXT NOT NULL, state TEXT NOT NULL, opened_us BIGINT NOT NULL,
    changed_us BIGINT NOT NULL
)""",
    "CREATE INDEX IF NOT EXISTS treasury_suspense_list ON treasury_suspense "
    "(office, state, opened_us)",
    """
CREATE TABLE IF NOT EXISTS treasury_refunds (
    refund_id TEXT NOT NULL PRIMARY KEY, suspense_id TEXT NOT NULL, office TEXT NOT NULL,
    amount BIGINT NOT NULL, requester TEXT NOT NULL, approver TEXT NOT NULL, state TEXT NOT NULL,
    reference TEXT NOT NULL, paid_on TEXT NOT NULL, asked_us BIGINT NOT NULL,
    changed_us BIGINT NOT NULL
)""",
    "CREATE INDEX IF NOT EXISTS treasury_refunds_list ON treasury_refunds "
    "(office, state, asked_us)",
    """
CREATE TABLE IF NOT EXISTS treasury_problems (
    problem_id TEXT NOT NULL PRIMARY KEY, office TEXT NOT NULL, kind TEXT NOT NULL,
    subject TEXT NOT NULL, application_id TEXT NOT NULL, number TEXT NOT NULL,
    amount BIGINT NOT NULL, detail TEXT NOT NULL, state TEXT NOT NULL, since_us BIGINT NOT NULL,
    changed_us BIGINT NOT NULL
)""",
    "CREATE INDEX IF NOT EXISTS treasury_problems_list ON treasury_problems "
    "(office, state, since_us)",
    "CREATE INDEX IF NOT EXISTS treasury_problems_of ON treasury_problems (subject, kind)",
)


class BillRow(NamedTuple):
    """A bill. ``state``: open, paid, expired, replaced or cancelled; ``kind``: skrd or strd."""

    bill_id: str
    application_id: str
    number: str
    office: str
    permit_type: str
    virtual_account: str
    kind: str
    letter: str
    amount: int
    due_on: str
    state: str
    issued_us: int
    changed_us: int


class PaymentRow(NamedTuple):
    """Money that a bank reported for a bill.

    ``kind``: payment, set-aside or duplicate. ``state``: reported, settled, disputed or reversed.
    """

    payment_id: str
    application_id: str
    bill_id: str
    number: str
    office: str
    kind: str
    partner: str
    request_id: str
    reference: str
    amount: int
    paid_us: int
    source: str
    state: str
    suspense_id: str
    settlement_id: str
    line: int
    value_on: str
    changed_us: int


class SuspenseRow(NamedTuple):
    """A case of money in suspense. ``state``: held, asked, agreed, closed or reversed."""

    suspense_id: str
    office: str
    partner: str
    amount: int
    held: int
    reason: str
    source: str
    reference: str
    application_id: str
    number: str
    claimed_by: str
    state: str
    opened_us: int
    changed_us: int


class RefundRow(NamedTuple):
    """A refund. ``state``: asked, approved, declined or paid; people as the envelope names them."""

    refund_id: str
    suspense_id: str
    office: str
    amount: int
    requester: str
    approver: str
    state: str
    reference: str
    paid_on: str
    asked_us: int
    changed_us: int


class ProblemRow(NamedTuple):
    """Something that people have to look at.

    ``kind``: contradiction, dispute, no-bill or lost-money; ``subject`` is the bill, suspense case
    or application it is about, ``detail`` a code or an account number.
    """

    problem_id: str
    office: str
    kind: str
    subject: str
    application_id: str
    number: str
    amount: int
    detail: str
    state: str
    since_us: int
    changed_us: int
