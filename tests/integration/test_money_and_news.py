"""Payment and notify over PostgreSQL: the same behaviour as over SQLite, seen once from outside."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pydantic import SecretStr

from deploy.bank.client import pay
from deploy.bank.keys import open_keys
from tests.running import running_office, settings_in, until
from tests.unit.notify.test_telling import submit
from tests.unit.payment.bank_case import assessed


async def test_a_bill_is_paid_once_and_people_are_told(postgres_dsn: str, tmp_path: Path) -> None:
    settings = settings_in(tmp_path, postgres=SecretStr(postgres_dsn))
    async with running_office(settings, ["payment", "notify"]) as office:
        case = await assessed(office)
        answers = await asyncio.gather(*(case.send() for _ in range(6)))
        assert {answer["responseCode"] for answer in answers} <= {"2002500", "4042518"}
        assert await case.payments() == 1
        keys = await asyncio.to_thread(open_keys, tmp_path, office.running.kernel.secret("bank"))
        other = await assessed(office)
        assert (await pay(office.address, other.account, keys=keys)).paid
        await office.sign_in("bendahara")

        async def both() -> bool:
            listed = await office.http.get("/api/bills?state=paid")
            return {case.number, other.number} <= {bill["number"] for bill in listed.json()}

        await until(both, what="the treasurer's list")
        await submit(office)
        office.http.cookies.clear()
        await office.sign_in("loket")

        async def told() -> bool:
            messages = (await office.http.get("/api/messages")).json()
            return [message["state"] for message in messages] == ["sent"]

        await until(told, what="the message")
