"""One customer's payment: what is owed, the money into the books, and the office told of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import httpx

from deploy.bank import channels
from deploy.bank.client import (
    Exchange,
    Receipt,
    Teller,
    owed,
    payment_order,
    receipt_number,
    receipt_of,
)
from deploy.bank.faults import Fault
from deploy.bank.keys import BankKeys
from deploy.bank.ledger import Ledger, Payment
from deploy.bank.sheets import SNAP, TELLER, Sheet, Sheets
from shared.errors import Refused

# The payment is booked, but this office hears nothing that it can believe.
_UNTOLD = (Fault.LOST, Fault.LATE)


class NothingOwed(Refused):
    """The bank does not know how much to take."""

    code = "nothing-owed"
    text = "The bank knows no open bill under this number. Say the amount, or look at the number."


@dataclass
class Desk:
    """What the bank has at hand.

    ``keys`` gives the SNAP partner's side of a sheet, ``secret`` a shared secret by name, ``now``
    the bank's clock.
    """

    sheets: Sheets
    ledger: Ledger
    keys: Callable[[Sheet], BankKeys]
    secret: Callable[[str], str]
    now: Callable[[], datetime]


@dataclass
class Visit:
    """One customer's payment in one dialect."""

    bank: Desk
    http: httpx.AsyncClient
    sheet: Sheet
    account: str
    fault: Fault
    request_id: str
    teller: Teller | None = None
    name: str = ""

    async def pay(self, amount: int) -> Receipt:
        """Find out what is owed, book the money, and tell the office."""
        heard: list[Exchange] = []
        refused = await self.sign_in()
        if refused is None and not amount:
            amount, refused = await self._owed(heard)
        if refused is not None:
            return replace(refused, exchanges=(*heard, *refused.exchanges))
        if not amount:
            raise NothingOwed
        payment = self._booked(amount)
        if self.fault in _UNTOLD:
            told = self._receipt(payment, heard, paid=True)
        else:
            if self.fault is Fault.OUT_OF_ORDER:
                await self.tell(payment, advice=True)
            told = await self.tell(payment, heard=heard)
            if self.fault is Fault.DUPLICATE:
                told = await self.tell(self.bank.ledger.payment(self.request_id), heard=heard)
        return told

    async def sign_in(self) -> Receipt | None:
        """Get a token where the dialect has one; return the refusal."""
        if self.sheet.dialect != SNAP:
            return None
        self.teller = Teller(self.http, self.bank.keys(self.sheet), self.fault)
        answer = await self.teller.sign_in()
        if self.teller.token:
            return None
        return receipt_of(self.request_id, self.account, answer, {}, self.teller)

    async def _owed(self, heard: list[Exchange]) -> tuple[int, Receipt | None]:
        """Return the amount in rupiah, or the office's refusal."""
        if self.teller is not None:
            answer = await self.teller.ask(self.account, self.request_id)
            bill = answer.get("virtualAccountData") or {}
            self.name = str(bill.get("virtualAccountName", ""))
            value = owed(bill, self.fault)
            if value:
                return int(value.split(".")[0]), None
            return 0, receipt_of(self.request_id, self.account, answer, {}, self.teller)
        if self.sheet.dialect == TELLER:
            secret = self.bank.secret(self.sheet.shared_secret)
            exchange = await channels.ask_invoice(self.http, self.sheet, secret, self.account)
            heard.append(exchange)
            invoice = channels.answered(exchange)
            self.name = str(invoice.get("nomor", ""))
            amount = int(invoice.get("jumlah", 0)) if exchange.status == 200 else 0
            return amount + (self.fault is Fault.AMOUNT and amount > 0), None
        known = self.bank.ledger.account(self.account)
        return (known.amount if known is not None and known.open else 0), None

    def _booked(self, amount: int) -> Payment:
        at = self.bank.now().astimezone(self.sheet.zone)
        posts_on = at.date()
        if self.fault is Fault.NEAR_MIDNIGHT:
            at = (at - timedelta(days=1)).replace(hour=23, minute=58)
        payment = Payment(
            request_id=self.request_id,
            partner=self.sheet.id,
            account=self.account,
            amount=amount,
            reference=receipt_number(self.request_id),
            paid_at=at.isoformat(timespec="seconds"),
            posts_on=posts_on.isoformat(),
            fault=self.fault,
            # With SNAP the money moves when the office agrees; elsewhere it has moved.
            state="asked" if self.teller is not None and self.fault not in _UNTOLD else "paid",
        )
        self.bank.ledger.save(payment)
        return payment

    async def tell(
        self, payment: Payment, *, advice: bool = False, heard: list[Exchange] | None = None
    ) -> Receipt:
        """Tell the office of a booked payment, and book what it answers."""
        heard = [] if heard is None else heard
        if self.teller is not None:
            return await self._tell_snap(self.teller, payment, advice=advice)
        if self.sheet.dialect == TELLER:
            secret = self.bank.secret(self.sheet.shared_secret)
            wrong = "-wrong" if self.fault is Fault.SIGNATURE else ""
            exchange = await channels.report_invoice(self.http, self.sheet, secret + wrong, payment)
        else:
            claimed = payment
            if self.fault in (Fault.AMOUNT, Fault.TAMPERED):
                # Nobody believes a callback; what the office asks for afterwards is the truth.
                claimed = replace(payment, amount=payment.amount + 1)
            exchange = await channels.send_callback(self.http, self.sheet, claimed)
        heard.append(exchange)
        self.bank.ledger.save(replace(payment, told=exchange.status == 200))
        return self._receipt(payment, heard, paid=True)

    async def _tell_snap(self, teller: Teller, payment: Payment, *, advice: bool) -> Receipt:
        order = payment_order(
            payment.account,
            teller.keys,
            f"{payment.amount}.00",
            payment.request_id,
            advice=advice,
            reference=payment.reference,
            paid_at=payment.paid_at,
        )
        answer = await teller.report(order)
        receipt = receipt_of(
            payment.request_id,
            payment.account,
            answer,
            {"virtualAccountName": self.name},
            teller,
        )
        current = self.bank.ledger.payment(payment.request_id)
        if current.state != "reversed":
            self.bank.ledger.save(
                replace(current, state=_state(current, receipt), told=receipt.paid)
            )
        return replace(receipt, fault=self.fault)

    def _receipt(self, payment: Payment, heard: list[Exchange], *, paid: bool) -> Receipt:
        last = heard[-1] if heard else None
        answer = channels.answered(last) if last is not None else {}
        said = answer.get("response_message") or answer.get("status_bayar") or ""
        return Receipt(
            request_id=payment.request_id,
            virtual_account=payment.account,
            paid=paid,
            code=str(answer.get("response_code") or (last.status if last else "")),
            message=str(said),
            name=self.name,
            amount=f"{payment.amount}.00",
            reference=payment.reference,
            paid_at=payment.paid_at,
            exchanges=tuple(self.teller.exchanges) if self.teller is not None else tuple(heard),
            fault=self.fault,
        )


def _state(payment: Payment, receipt: Receipt) -> str:
    """Return what a SNAP payment is after the office's answer."""
    if receipt.paid:
        return "paid"
    if receipt.code.startswith("401") and payment.fault == Fault.TAMPERED:
        # The customer's money is gone, whatever happened to the message.
        return "paid"
    return "refused" if receipt.code.startswith("4") else payment.state
