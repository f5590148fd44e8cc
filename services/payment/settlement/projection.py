"""Folds ``jejak.payment`` into the facts of reconciliation."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import TypeAlias

from services.payment.settlement import marks
from services.payment.settlement.partners import Partners
from services.payment.settlement.tables import CONCLUSIONS, STATEMENTS
from shared.codec import Codec
from shared.contracts import payment as events
from shared.database import Transaction
from shared.events import Recorded
from shared.projection import OfficeProjection
from shared.topics import PAYMENT

_Came: TypeAlias = events.PaymentReceived | events.PaymentSetAside | events.DuplicatePaymentFound

# Money that an officer moved: no bank will ever settle it.
_OFFICERS_OWN = "suspense"
_INSERT_FILE = (
    "INSERT INTO settlement_files (settlement_id, partner, sha256, name, state, first_day, "
    "last_day, opening, closing, lines, recorded, credits, debits, reason, line, actor, "
    "changed_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, ?, ?, ?, ?) "
    "ON CONFLICT (settlement_id) DO UPDATE SET state = excluded.state, "
    "first_day = excluded.first_day, last_day = excluded.last_day, opening = excluded.opening, "
    "closing = excluded.closing, lines = excluded.lines, reason = excluded.reason, "
    "line = excluded.line, actor = excluded.actor, changed_us = excluded.changed_us"
)
_INSERT_LINE = (
    "INSERT INTO settlement_lines (settlement_id, line, partner, amount, value_on, reference, "
    "virtual_account, reverses, text, office, accepted, application_id, bill_id, matched, "
    "suspense_id, class, why, money_id, looked_on, dirty) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (settlement_id, line) DO NOTHING"
)
_INSERT_MONEY = (
    "INSERT INTO settlement_moneys (money_id, application_id, bill_id, office, partner, "
    "request_id, reference, amount, paid_at, paid_on, pays, late, billed, source, told, "
    "suspense_id, reversed, disputed, contradicted, settlement_id, line, class, looked_on, dirty) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, '', 0, '', '', ?) "
    "ON CONFLICT (money_id) DO NOTHING"
)


class SettlementProjection(OfficeProjection):
    """Files, their lines, and the moneys and bills that they are held against."""

    name = "settlement"
    topics = (PAYMENT.name,)
    statements = STATEMENTS
    conclusions = CONCLUSIONS

    def __init__(
        self,
        codec: Codec,
        partners: Partners,
        on_office: Callable[[str], None] = lambda office: None,
    ) -> None:
        """``partners`` say which business day a payment belongs to."""
        super().__init__(codec, on_office)
        self._partners = partners

    def apply(self, tx: Transaction, recorded: Sequence[Recorded]) -> None:
        """Fold events, in order, into rows."""
        for one in recorded:
            event = self._codec.decode(one)
            match event:
                case events.BillIssued():
                    self._billed(tx, event, one)
                case (
                    events.PaymentReceived()
                    | events.PaymentSetAside()
                    | events.DuplicatePaymentFound()
                ):
                    if event.source != _OFFICERS_OWN:
                        self._came(tx, event, one)
                case events.PaymentReported():
                    marks.mark(tx, event, one, "told = 1")
                case events.PaymentReversed():
                    marks.mark(tx, event, one, "reversed = 1")
                case events.PaymentDisputed():
                    marks.mark(tx, event, one, "disputed = 1")
                case events.PaymentSettled():
                    to = (event.settlement_id, event.line)
                    marks.mark(tx, event, one, "settlement_id = ?, line = ?", to)
                    tx.execute(marks.LOOK_AGAIN, (one.position, *to))
                case events.PaymentContradicted():
                    marks.contradicted(tx, event, one.position)
                case events.SuspenseOpened():
                    marks.held(tx, event, one.position)
                case events.LineMatchedByHand():
                    marks.matched(tx, event, one.position)
                case events.LineWrittenToSuspense() | events.LineExplained():
                    marks.said(tx, event, one.position)
                case events.SettlementDayProved():
                    _proved(tx, event, one.occurred_us)
                case _:
                    self._file(tx, event, one)

    def _file(self, tx: Transaction, event: object, one: Recorded) -> None:
        match event:
            case events.SettlementFileOpened():
                values = (event.first_day, event.last_day, event.opening, event.closing)
                self._begin(tx, event, one, "taking", (*values, event.lines, "", 0))
            case events.SettlementFileRejected():
                nothing = ("", "", 0, 0, 0)
                self._begin(tx, event, one, "rejected", (*nothing, event.reason, event.line))
            case events.SettlementLinesRecorded():
                self._lines(tx, event)
            case events.SettlementFileAccepted():
                _accepted(tx, event, one)
            case _:
                # Another event of this topic is no fact of reconciliation.
                return
        self._on_office(one.correlation_id)

    def _begin(
        self,
        tx: Transaction,
        event: events.SettlementFileOpened | events.SettlementFileRejected,
        one: Recorded,
        state: str,
        values: tuple[str | int, ...],
    ) -> None:
        head = (event.settlement_id, event.partner, event.sha256, event.name, state)
        tx.execute(_INSERT_FILE, (*head, *values, one.actor, one.occurred_us))

    def _lines(self, tx: Transaction, event: events.SettlementLinesRecorded) -> None:
        partner = self._partners.find(event.partner)
        office = partner.layout.office if partner is not None and partner.layout else ""
        tx.executemany(
            _INSERT_LINE,
            [
                (
                    event.settlement_id,
                    line.line,
                    event.partner,
                    line.amount,
                    line.value_on,
                    line.reference,
                    line.virtual_account,
                    line.reverses,
                    line.text,
                    office,
                    *(0, "", "", None, "", "", "", "", "", 0),
                )
                for line in event.lines
            ],
        )
        tx.execute(
            "UPDATE settlement_files SET recorded = recorded + ? WHERE settlement_id = ?",
            (len(event.lines), event.settlement_id),
        )

    def _billed(self, tx: Transaction, bill: events.BillIssued, one: Recorded) -> None:
        tx.execute(
            "INSERT INTO settlement_bills (bill_id, application_id, office, virtual_account, "
            "amount, due_on, position) VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (bill_id) DO NOTHING",
            (
                bill.bill_id,
                bill.application_id,
                bill.office,
                bill.virtual_account,
                bill.amount,
                bill.due_on,
                one.position,
            ),
        )
        # Money may have been there before its bill.
        tx.execute(
            "UPDATE settlement_lines SET dirty = ? "
            "WHERE virtual_account = ? AND virtual_account <> '' AND accepted = 1",
            (one.position, bill.virtual_account),
        )

    def _came(self, tx: Transaction, money: _Came, one: Recorded) -> None:
        found = tx.execute(
            "SELECT office, amount, due_on FROM settlement_bills WHERE bill_id = ?",
            (money.bill_id,),
        )
        office, billed, due_on = found[0] if found else ("", 0, "")
        pays = isinstance(money, events.PaymentReceived)
        ended = isinstance(money, events.PaymentSetAside) and money.reason in ("late", "cancelled")
        at = datetime.fromisoformat(money.paid_at)
        # The bank's own date: its time stamp carries its offset.
        late = ended or (due_on != "" and at.date().isoformat() > due_on)
        tx.execute(
            _INSERT_MONEY,
            (
                one.event_id,
                money.application_id,
                money.bill_id,
                office,
                money.partner,
                money.request_id,
                money.reference,
                money.amount,
                money.paid_at,
                self._paid_on(money.partner, at).isoformat(),
                int(pays),
                int(late and not pays),
                billed,
                money.source,
                int(money.source != "settlement"),
                "" if isinstance(money, events.PaymentReceived) else money.suspense_id,
                one.position,
            ),
        )
        self._on_office(office)

    def _paid_on(self, partner: str, at: datetime) -> date:
        known = self._partners.find(partner)
        return known.business_day(at) if known is not None else at.date()


def _accepted(tx: Transaction, event: events.SettlementFileAccepted, one: Recorded) -> None:
    tx.execute(
        "UPDATE settlement_files SET state = 'accepted', credits = ?, debits = ?, changed_us = ? "
        "WHERE settlement_id = ?",
        (event.credits, event.debits, one.occurred_us, event.settlement_id),
    )
    tx.execute(
        "UPDATE settlement_lines SET accepted = 1, dirty = ? WHERE settlement_id = ?",
        (one.position, event.settlement_id),
    )


def _proved(tx: Transaction, event: events.SettlementDayProved, at: int) -> None:
    classes = json.dumps([asdict(one) for one in event.classes])
    tx.execute(
        "INSERT INTO settlement_days (partner, day, changed, digest, settled, lines, classes, "
        "proved_us, failed, failing_us) VALUES (?, ?, 0, ?, ?, ?, ?, ?, '', 0) "
        "ON CONFLICT (partner, day) DO UPDATE SET digest = excluded.digest, "
        "settled = excluded.settled, lines = excluded.lines, classes = excluded.classes, "
        "proved_us = excluded.proved_us",
        (event.partner, event.day, event.digest, event.settled, event.lines, classes, at),
    )
