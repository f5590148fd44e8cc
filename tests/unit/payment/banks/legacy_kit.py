"""What the legacy dialects send, and what their bank says when it is asked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx

from services.payment.banks.profile import Banks
from tests.bank_partner import JAKARTA, digits
from tests.bank_stand_in import BankServer
from tests.unit.payment.banks.kit import AMOUNT, SECRET, Account, Desk, new_number


def owe(desk: Desk, office: str) -> Account:
    """Return an application with no bill yet, and the account that its bill will have."""
    banks = Banks.load(desk.office.running.kernel.settings.config / "banks")
    number = new_number(office)
    return Account(desk, office, number, banks.virtual_account(office, number))


async def tell(account: Account, dialect: str, amount: int = AMOUNT) -> httpx.Response:
    """Send an unsigned callback (``va`` or ``qris``)."""
    path = f"/webhooks/bank/bank-{dialect}/{dialect}"
    return await account.desk.office.http.post(path, json=hint(account, dialect, amount))


def hint(account: Account, dialect: str, amount: int = AMOUNT) -> Any:
    """Return what an unsigned callback says."""
    now = datetime.now(JAKARTA)
    if dialect == "va":
        return {
            "status": "2",
            "va_number": account.number,
            "client_refnum": f"va-{account.registration}",
            "transaction_time": now.strftime("%Y-%m-%d %H:%M:%S"),
            "transaction_amount": str(amount),
        }
    return {
        "invoiceNumber": account.number,
        "type": "TRANSACTION",
        "transactionDate": now.strftime("%d/%m/%Y %H:%M:%S"),
        "transactionAmount": amount,
        "rrn": f"rrn-{account.registration}",
    }


def pay_at(bank: BankServer, account: Account, dialect: str, amount: int = AMOUNT) -> None:
    """Have the bank say, when it is asked, that the account was paid."""
    fields = hint(account, dialect, amount)
    fields["status"] = "2"
    if dialect == "va":
        fields["ntb"] = digits()
    bank.paid[account.number] = fields


def teller_headers() -> dict[str, str]:
    """Return how the teller's host proves itself."""
    return {"X-Api-Key": SECRET}
