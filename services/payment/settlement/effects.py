"""From what reconciliation found to commands: the bills' and the suspense cases' deciders decide.

Every command's cause is derived from the line or payment that it is about, so that a second one is
the same one.
"""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from services.payment import bill, suspense
from services.payment.settlement.facts import (
    Contradict,
    Dispute,
    Effect,
    Hold,
    Line,
    Record,
    Release,
    Reverse,
    Settle,
)
from services.payment.settlement.matching import line_key
from services.payment.settlement.partners import Partners
from shared.actors import system
from shared.errors import Refused
from shared.handle import Handler
from shared.ids import derived_id
from shared.service import Now
from shared.telemetry import log

BY = system("settlement")


class Effects:
    """Carries out what a verdict asks for."""

    def __init__(self, handler: Handler, partners: Partners, now: Now) -> None:
        """``partners`` name the office that holds each account."""
        self._handler = handler
        self._partners = partners
        self._now = now

    async def do(self, effect: Effect) -> None:
        """Give the command. A refusal is logged: the line keeps its class and people see it."""
        now = self._now()
        try:
            match effect:
                case Hold() | Release():
                    await self._suspense(effect, now)
                case Settle() | Record() | Reverse() | Contradict() | Dispute():
                    await self._bill(effect, now)
                case _:
                    assert_never(effect)
        except Refused as refusal:
            log.warning("settlement_refused", what=type(effect).__name__, code=refusal.code)

    async def _bill(
        self, effect: Settle | Record | Reverse | Contradict | Dispute, now: datetime
    ) -> None:
        application, command = self._command(effect, now)
        await self._handler.handle(
            bill.DECIDER,
            bill.bill_stream(application),
            command,
            cause=_cause(effect),
            application=application,
        )

    async def _suspense(self, effect: Hold | Release, now: datetime) -> None:
        line = effect.line
        # Put aside by a person, it is money of its own even where its receipt number is another's.
        named = "" if line.aside else line.reference
        case = line.case or suspense.suspense_id(line.partner, named, line_key(line.id))
        command: suspense.OpenSuspense | suspense.ReverseSuspense
        if isinstance(effect, Hold):
            command = self._held(line, case, now)
        else:
            at = self._midnight(effect.by)
            command = suspense.ReverseSuspense(reversed_at=at, reason="settlement", now=now, by=BY)
        await self._handler.handle(
            suspense.DECIDER,
            suspense.suspense_stream(case),
            command,
            cause=_cause(effect),
            application=case,
        )

    def _held(self, line: Line, case: str, now: datetime) -> suspense.OpenSuspense:
        return suspense.OpenSuspense(
            suspense_id=case,
            office=self._partners.layout(line.partner).office,
            partner=line.partner,
            amount=line.amount,
            reason="orphan",
            source="settlement",
            reference=line.reference,
            request_id=line_key(line.id),
            virtual_account=line.virtual_account,
            paid_at=self._midnight(line),
            now=now,
            by=BY,
        )

    def _midnight(self, line: Line) -> str:
        # A statement knows the day, not the hour.
        return self._partners.midnight(line.partner, line.value_on)

    def _command(
        self, effect: Settle | Record | Reverse | Contradict | Dispute, now: datetime
    ) -> tuple[str, bill.Command]:
        match effect:
            case Record(application_id=application, line=line):
                return application, self._record(line, now)
            case Reverse(application_id=application):
                return application, self._reverse(effect, now)
            case Settle(money=money, line=line):
                return money.application_id, bill.SettlePayment(
                    amount=money.amount,
                    partner=money.partner,
                    request_id=money.request_id,
                    reference=money.reference,
                    settlement_id=line.id.settlement_id,
                    line=line.id.line,
                    value_on=line.value_on.isoformat(),
                    now=now,
                    by=BY,
                )
            case Contradict(money=money, line=line):
                return money.application_id, bill.NoteContradiction(
                    partner=money.partner,
                    request_id=money.request_id or money.reference,
                    amount=line.amount,
                    virtual_account=line.virtual_account,
                    now=now,
                    by=BY,
                )
            case Dispute(money=money):
                return money.application_id, bill.DisputePayment(
                    partner=money.partner,
                    request_id=money.request_id,
                    reference=money.reference,
                    now=now,
                    by=BY,
                )
            case _:
                assert_never(effect)

    def _record(self, line: Line, now: datetime) -> bill.RecordPayment:
        return bill.RecordPayment(
            amount=line.amount,
            partner=line.partner,
            request_id=line_key(line.id),
            reference=line.reference,
            paid_at=self._midnight(line),
            paid_on=line.value_on,
            now=now,
            by=BY,
            source="settlement",
            landed=True,
        )

    def _reverse(self, effect: Reverse, now: datetime) -> bill.ReversePayment:
        debit, credit, money = effect.line, effect.original, effect.money
        return bill.ReversePayment(
            amount=-debit.amount,
            partner=debit.partner,
            request_id=money.request_id if money is not None else "",
            reference=money.reference if money is not None else _reference(debit, credit),
            reversed_at=self._midnight(debit),
            reason="settlement",
            now=now,
            by=BY,
        )


def _cause(effect: Effect) -> str:
    kind = type(effect).__name__
    if isinstance(effect, Dispute):
        return derived_id("settlement", kind, effect.money.id)
    line = effect.by if isinstance(effect, Release) else effect.line
    if isinstance(effect, Settle):
        # One credit may settle several payments of one application.
        return derived_id("settlement", kind, line_key(line.id), effect.money.id)
    return derived_id("settlement", kind, line_key(line.id))


def _reference(debit: Line, credit: Line | None) -> str:
    return credit.reference if credit is not None else debit.reverses or debit.reference
