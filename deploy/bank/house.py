"""The bank itself: takes its customers' money, books it, and tells the office, dialect by dialect.

Booking and telling are two things: a payment that the office never hears of is in the books and in
the day's settlement file all the same.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import date
from typing import Any

import httpx

from deploy.bank.client import Receipt, Teller, new_external_id, payment_order
from deploy.bank.faults import Fault
from deploy.bank.ledger import NotTaken, Payment
from deploy.bank.sheets import Sheet
from deploy.bank.statement import Line, halved, spoiled, statement
from deploy.bank.visit import Desk, Visit
from shared.errors import Unavailable

_SECONDS = 15.0


class OfficeAway(Unavailable):
    """The office gave no answer."""

    code = "office-away"
    text = "The permit office can't be reached. Try again shortly."


class Bank(Desk):
    """All partners of the sheets, on one ledger."""

    async def pay(
        self,
        office: str,
        account: str,
        *,
        sheet: Sheet,
        amount: int = 0,
        fault: str = "",
    ) -> Receipt:
        """Take ``amount`` rupiah (0: what the office says is owed) for an account, and tell.

        ``office`` is its address. Without a ``fault`` the ledger's plan decides. Raises
        NothingOwed, OfficeAway.
        """
        request_id = secrets.token_hex(10)
        wrong = Fault(fault) if fault else self.ledger.plan().of(request_id)
        async with _line(office) as http:
            visit = Visit(self, http, sheet, account.replace(" ", ""), wrong, request_id)
            try:
                receipt = await visit.pay(amount)
            except httpx.HTTPError as error:
                raise OfficeAway from error
        if wrong is Fault.REVERSAL and receipt.paid:
            await self.reverse(office, request_id)
        return receipt

    async def tell(self, office: str, request_id: str, *, advice: bool = True) -> Receipt:
        """Tell of a payment again, or for the first time. Raises UnknownPayment, OfficeAway."""
        payment = self.ledger.payment(request_id)
        async with _line(office) as http:
            visit = Visit(
                self,
                http,
                self.sheets.of(payment.partner),
                payment.account,
                Fault.NONE,
                request_id,
            )
            try:
                await visit.sign_in()
                return await visit.tell(payment, advice=advice)
            except httpx.HTTPError as error:
                raise OfficeAway from error

    async def status(self, office: str, request_id: str) -> dict[str, Any]:
        """Ask the office what became of a SNAP payment (service 26)."""
        payment = self.ledger.payment(request_id)
        keys = self.keys(self.sheets.of(payment.partner))
        async with _line(office) as http:
            teller = Teller(http, keys)
            try:
                await teller.sign_in()
                order = payment_order(payment.account, keys, f"{payment.amount}.00", request_id)
                asked = {**order, "inquiryRequestId": request_id}
                return await teller.call("/v1.0/transfer-va/status", asked, new_external_id())
            except httpx.HTTPError as error:
                raise OfficeAway from error

    async def reverse(self, office: str, request_id: str) -> Payment:
        """Take a payment back; a SNAP partner with a service for it tells the office at once.

        For every other the day's settlement file tells. Repeating it changes nothing. Raises
        UnknownPayment, NotTaken.
        """
        payment = self.ledger.payment(request_id)
        if payment.state == "reversed":
            return payment
        if payment.state != "paid":
            raise NotTaken
        sheet = self.sheets.of(payment.partner)
        today = self.now().astimezone(sheet.zone).date()
        back = replace(payment, state="reversed", reversed_on=today.isoformat())
        self.ledger.save(back)
        if sheet.data.get("reversal_service"):
            async with _line(office) as http:
                keys = self.keys(sheet)
                teller = Teller(http, keys)
                order = payment_order(
                    payment.account,
                    keys,
                    f"{payment.amount}.00",
                    request_id,
                    reference=payment.reference,
                    paid_at=payment.paid_at,
                )
                try:
                    await teller.sign_in()
                    await teller.call("/v1.0/transfer-va/reversal", order, new_external_id())
                except httpx.HTTPError as error:
                    raise OfficeAway from error
        return back

    def settlement(self, sheet: Sheet, day: date, fault: Fault = Fault.NONE) -> bytes:
        """Return a day's settlement file, with one fault of ``faults.IN_THE_FILE`` if asked for.

        But for half a file it balances. Raises UnknownPartner when the sheet has no format.
        """
        lines = [
            Line(one.amount, day, one.reference, one.account)
            for one in self.ledger.posted(sheet.id, day)
        ]
        lines += [
            Line(-one.amount, day, f"R{one.reference}", one.account, one.reference)
            for one in self.ledger.taken_back(sheet.id, day)
        ]
        opening = self.ledger.balance_before(sheet.id, day)
        content = statement(sheet.statement, day, spoiled(lines, fault, day), opening=opening)
        return halved(content) if fault is Fault.HALF_FILE else content


def _line(office: str) -> httpx.AsyncClient:
    # An environment's proxy must not come between a bank and its office.
    return httpx.AsyncClient(base_url=office, timeout=_SECONDS, trust_env=False)
