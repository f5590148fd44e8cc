"""How this bank tells of payments without SNAP: unsigned callbacks (A, B), a teller's host (C)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from deploy.bank.client import Exchange
from deploy.bank.ledger import Payment
from deploy.bank.sheets import LEGACY, Sheet

PAID, UNPAID = "2", "1"


def told_of(dialect: str, payment: Payment) -> dict[str, str]:
    """Return a payment as the legacy dialects write it, in callbacks and in answers alike."""
    at = datetime.fromisoformat(payment.paid_at)
    if dialect == LEGACY:
        return {
            "status": PAID,
            "va_number": payment.account,
            "client_refnum": payment.request_id,
            "transaction_time": f"{at:%Y-%m-%d %H:%M:%S}",
            "transaction_amount": str(payment.amount),
        }
    return {
        "invoiceNumber": payment.account,
        "type": "TRANSACTION",
        "transactionDate": f"{at:%d/%m/%Y %H:%M:%S}",
        "transactionAmount": str(payment.amount),
        "rrn": payment.reference,
    }


async def send_callback(http: httpx.AsyncClient, sheet: Sheet, payment: Payment) -> Exchange:
    """Tell the office of a payment, unsigned: it will ask back before it believes it."""
    kind = "va" if sheet.dialect == LEGACY else "qris"
    body = told_of(sheet.dialect, payment)
    return await _sent(http, "POST", f"/webhooks/bank/{sheet.id}/{kind}", body)


async def ask_invoice(http: httpx.AsyncClient, sheet: Sheet, secret: str, account: str) -> Exchange:
    """Ask the office what is owed, as a teller's host does."""
    path = f"/webhooks/bank/{sheet.id}/invoice/{quote(account, safe='')}"
    return await _sent(http, "GET", path, None, _proof(sheet, secret))


async def report_invoice(
    http: httpx.AsyncClient, sheet: Sheet, secret: str, payment: Payment
) -> Exchange:
    """Tell the office of a payment at the counter."""
    at = datetime.fromisoformat(payment.paid_at)
    body = {
        "ntb": payment.reference,
        "denda": "0",
        "no_bku": payment.request_id[:20],
        "tgl_bku": f"{at:%d/%m/%Y}",
        "tgl_bayar": f"{at:%d/%m/%Y %H:%M:%S}",
        "chanel_bayar": "TELLER",
        "status_bayar": "1",
        "total_bayar_bjb": str(payment.amount),
    }
    path = f"/webhooks/bank/{sheet.id}/invoice/update/{quote(payment.account, safe='')}"
    return await _sent(http, "PUT", path, body, _proof(sheet, secret))


def answered(exchange: Exchange) -> dict[str, Any]:
    """Return the JSON object of an answer, empty when it is none."""
    try:
        found = json.loads(exchange.answer)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _proof(sheet: Sheet, secret: str) -> Mapping[str, str]:
    if sheet.data["proof"] == "header":
        return {str(sheet.data.get("header", "X-Api-Key")): secret}
    name = str(sheet.data.get("username", "bank"))
    sent = httpx.BasicAuth(name, secret).auth_flow(httpx.Request("GET", "http://bank"))
    return {"Authorization": next(sent).headers["Authorization"]}


async def _sent(
    http: httpx.AsyncClient,
    method: str,
    path: str,
    body: Mapping[str, str] | None,
    headers: Mapping[str, str] | None = None,
) -> Exchange:
    answer = await http.request(method, path, json=body, headers=headers)
    sent = json.dumps(body, ensure_ascii=False) if body is not None else ""
    return Exchange(path, sent, answer.status_code, answer.text)
