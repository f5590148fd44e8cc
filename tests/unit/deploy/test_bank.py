"""The demonstration's bank in all four dialects, both ways, against a running payment service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from deploy.bank.client import Receipt
from deploy.bank.faults import IN_THE_FILE, Fault, FaultPlan
from deploy.bank.house import OfficeAway
from deploy.bank.ledger import Ledger, NotTaken, UnknownPayment
from deploy.bank.sheets import LEGACY, QRIS, SNAP, TELLER
from deploy.bank.statement import Line, spoiled, statement
from deploy.bank.visit import NothingOwed
from services.payment.banks.profile import Banks
from services.payment.settlement.formats import checked, read_file
from services.payment.settlement.reading import Unreadable
from shared.contracts.payment import SettlementLine
from shared.contracts.workflow import PermitWithdrawn
from shared.ids import derived_id
from shared.settings import Settings
from tests.running import until
from tests.unit.deploy.bank_kit import AMOUNT, Town, open_town

pytestmark = pytest.mark.asyncio(loop_scope="module")
CONFIG = Settings().config
DAY = date(2026, 1, 6)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with open_town(tmp_path_factory.mktemp("town")) as opened:
        yield opened


@pytest.mark.parametrize(
    ("dialect", "office", "number"),
    [
        (SNAP, "bogor", "BGR-2026-000001"),
        (QRIS, "bogor", "BGR-2026-000002"),
        (TELLER, "bogor", "BGR-2026-000003"),
        (LEGACY, "mataram", "MTR-2026-000001"),
    ],
)
async def test_a_bill_is_paid_in_each_dialect(
    town: Town, dialect: str, office: str, number: str
) -> None:
    account = await town.bill(office, number)
    if dialect == LEGACY:
        await announced(town, account)
    amount = AMOUNT if dialect == QRIS else 0
    sheet = town.bank.sheets.speaking(dialect)
    receipt = await town.bank.pay(town.office.address, account, sheet=sheet, amount=amount)
    assert receipt.paid, receipt
    assert receipt.amount == f"{AMOUNT}.00"
    await town.becomes(number, "paid")
    booked = town.bank.ledger.payment(receipt.request_id)
    assert (booked.state, booked.told, booked.amount) == ("paid", True, AMOUNT)


async def test_the_office_opens_and_closes_accounts_at_the_bank(town: Town) -> None:
    account = await town.bill("bogor", "BGR-2026-000010")
    await announced(town, account)
    opened = town.bank.ledger.account(account)
    assert opened is not None
    assert (opened.amount, opened.name, opened.open) == (AMOUNT, "BGR-2026-000010", True)
    application = derived_id("town", "BGR-2026-000010")
    gone = PermitWithdrawn(application_id=application)
    await town.office.happened(f"permit-{application}", gone, application=application)

    async def closed() -> bool:
        found = town.bank.ledger.account(account)
        return found is not None and not found.open

    await until(closed, 20, what="the closing")


@pytest.mark.parametrize("fault", ["duplicate", "out-of-order", "near-midnight"])
async def test_what_is_told_oddly_is_paid_once(town: Town, fault: str) -> None:
    number = f"BGR-2026-0001{len(fault):02d}"
    account = await town.bill("bogor", number)
    assert (await pay(town, account, fault=fault)).paid
    await town.becomes(number, "paid")


@pytest.mark.parametrize(
    ("fault", "code", "state"),
    [("amount", "4042513", "refused"), ("tampered", "4012500", "paid")],
)
async def test_what_the_office_can_not_believe_is_not_paid_there(
    town: Town, fault: str, code: str, state: str
) -> None:
    account = await town.bill("bogor", f"BGR-2026-0002{len(fault):02d}")
    receipt = await pay(town, account, fault=fault)
    assert (receipt.paid, receipt.code) == (False, code)
    assert town.bank.ledger.payment(receipt.request_id).state == state


async def test_a_payment_that_was_never_told_is_found_by_asking_or_told_later(town: Town) -> None:
    number = "BGR-2026-000301"
    account = await town.bill("bogor", number)
    receipt = await pay(town, account, fault="late")
    assert receipt.paid
    assert not town.bank.ledger.payment(receipt.request_id).told
    told = await town.bank.tell(town.office.address, receipt.request_id)
    assert told.code == "2002500"
    await town.becomes(number, "paid")
    status = await town.bank.status(town.office.address, receipt.request_id)
    assert status["responseCode"] == "2002600"


async def test_a_payment_is_taken_back_once(town: Town) -> None:
    number = "BGR-2026-000401"
    receipt = await pay(town, await town.bill("bogor", number))
    await town.becomes(number, "paid")
    back = await town.bank.reverse(town.office.address, receipt.request_id)
    assert back.state == "reversed"
    await town.becomes(number, "open")
    assert await town.bank.reverse(town.office.address, receipt.request_id) == back
    refused = await pay(town, await town.bill("bogor", "BGR-2026-000402"), fault="amount")
    with pytest.raises(NotTaken):
        await town.bank.reverse(town.office.address, refused.request_id)
    with pytest.raises(UnknownPayment):
        await town.bank.reverse(town.office.address, "nothing")


async def test_nobody_pays_what_nobody_owes(town: Town) -> None:
    for dialect in (QRIS, TELLER, LEGACY):
        sheet = town.bank.sheets.speaking(dialect)
        with pytest.raises(NothingOwed):
            await town.bank.pay(town.office.address, "99999999", sheet=sheet)
    receipt = await pay(town, "1234500199")
    assert (receipt.paid, receipt.code) == (False, "4042412")


async def test_an_office_that_is_away_is_named(town: Town) -> None:
    sheet = town.bank.sheets.speaking(SNAP)
    with pytest.raises(OfficeAway):
        await town.bank.pay("http://127.0.0.1:9", "1234500199", sheet=sheet)


async def test_the_host_believes_nobody_without_a_signature(town: Town) -> None:
    address = str(town.bank.sheets.speaking(QRIS).calls["base_url"])
    async with httpx.AsyncClient(base_url=address) as http:
        assert (await http.get("/qris/123")).status_code == 401
        assert (await http.post("/billing", json={})).status_code == 401
        assert (await http.post("/oauth/client/token", content=b"a.b.c")).status_code == 401
        token = await http.post("/v1.0/access-token/b2b", json={})
        assert token.json()["responseCode"] == "4017300"
        status = await http.post("/v1.0/transfer-va/status", json={})
        assert status.json()["responseCode"] == "4002602"


async def test_the_days_file_has_what_the_books_have(town: Town, tmp_path: Path) -> None:
    receipt = await pay(town, await town.bill("bogor", "BGR-2026-000501"))
    sheet = town.bank.sheets.speaking(SNAP)
    day = town.bank.now().astimezone(sheet.zone).date()
    file = tmp_path / "day.csv"
    file.write_bytes(town.bank.settlement(sheet, day))
    layout = Banks.load(CONFIG / "banks").by_id[sheet.id].settlement
    assert layout is not None
    lines = [one for one in read_file(layout, file) if isinstance(one, SettlementLine)]
    assert receipt.reference in [one.reference for one in lines]
    posted = town.bank.ledger.posted(sheet.id, day)
    back = town.bank.ledger.taken_back(sheet.id, day)
    assert sum(one.amount for one in lines) == sum(one.amount for one in posted) - sum(
        one.amount for one in back
    )
    assert town.bank.ledger.balance_before(sheet.id, day + timedelta(days=1)) == sum(
        one.amount for one in lines
    )


@pytest.mark.parametrize("partner", ["bank-contoh", "va-contoh"])
@pytest.mark.parametrize("fault", [Fault.NONE, *IN_THE_FILE])
async def test_every_file_can_be_read_but_half_a_one(
    tmp_path: Path, partner: str, fault: Fault
) -> None:
    layout = Banks.load(CONFIG / "banks").by_id[partner].settlement
    assert layout is not None
    sheet = layout.file.model_dump(exclude_none=True)
    lines = [Line(AMOUNT, DAY, f"NTB{n}", f"12345001{n:06d}") for n in range(5)]
    lines.append(Line(-AMOUNT, DAY, "RNTB1", "12345001000001", "NTB1"))
    content = statement(sheet, DAY, spoiled(lines, fault, DAY), opening=1_000_000)
    file = tmp_path / "file"
    if fault is Fault.HALF_FILE:
        file.write_bytes(content[: len(content) // 2])
        with pytest.raises(Unreadable):
            checked(layout, file)
        return
    file.write_bytes(content)
    summary = checked(layout, file)
    wrong = {Fault.MISSING_LINE: 5, Fault.DOUBLED_LINE: 7, Fault.ORPHAN: 7, Fault.BATCH: 2}
    assert summary.lines == wrong.get(fault, 6)
    read = [one for one in read_file(layout, file) if isinstance(one, SettlementLine)]
    assert {one.reverses for one in read if one.amount < 0} == {"NTB1"}


async def test_the_plan_of_faults_is_kept_and_repeats_itself(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    assert ledger.plan().of("any") is Fault.NONE
    ledger.set_plan(0.5, 7)
    ledger.close()
    again = Ledger(tmp_path / "ledger.sqlite")
    drawn = [again.plan().of(str(n)) for n in range(400)]
    again.close()
    assert drawn == [FaultPlan(0.5, 7).of(str(n)) for n in range(400)]
    assert 150 < sum(fault is not Fault.NONE for fault in drawn) < 250


async def announced(town: Town, account: str) -> None:
    async def known() -> bool:
        return town.bank.ledger.account(account) is not None

    await until(known, 20, what="the announcement")


async def pay(town: Town, account: str, fault: str = "") -> Receipt:
    sheet = town.bank.sheets.speaking(SNAP)
    return await town.bank.pay(town.office.address, account, sheet=sheet, fault=fault)
