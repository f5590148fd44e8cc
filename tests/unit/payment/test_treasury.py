"""The treasurer's overview, lists, exports and events, in a payment service that really runs."""

from __future__ import annotations

import csv
import io
import re
from html import unescape

import pytest
from pypdf import PdfReader

from shared.ids import derived_id
from tests.running import Office, until
from tests.unit.payment.treasury_kit import HTML, Till, as_person, frame, yesterday

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def busy_day(till: Till) -> None:
    """Let every kind of thing happen to bills and money."""
    settled, disputed, returned = [await till.bill() for _ in range(3)]
    await till.settle(settled, await till.pay(settled), till.today)
    reference = await till.pay(disputed)
    await till.dispute(disputed, reference)
    await till.contradict(disputed, reference)
    await till.reverse(returned, await till.pay(returned))
    await till.cancel(await till.bill())
    await till.bill(7)
    twice, unreported, little = [await till.bill(n) for n in (10, 11, 12)]
    await till.pay(twice)
    await till.pay(twice)
    found = await till.pay(unreported, source="settlement")
    await till.settle(unreported, found, till.today)
    await till.pay(little, amount=1)
    await till.shown("suspense", lambda row: row["reason"] == "underpaid")


async def test_every_figure_is_the_sum_of_what_its_link_lists(till: Till) -> None:
    await busy_day(till)
    await until_quiet(till)
    overview = await till.office.http.get("/bendahara?lang=en", headers=HTML)
    figures = re.findall(
        r'href="([^"]+)" data-figure="([^"]+)".*?figure-amount">([^<]+)<', overview.text, re.DOTALL
    )
    assert len(figures) > 15
    told = (await till.office.http.get("/api/treasury/figures")).json()["figures"]
    by_name = {figure["name"]: figure for figure in told}
    for href, name, amount in figures:
        page = await till.office.http.get(unescape(href), headers=HTML)
        total = re.search(r'data-rows="(-?\d+)" data-amount="(-?\d+)"', page.text)
        assert total is not None, href
        rows, rupiah = map(int, total.groups())
        assert f"{rupiah:,}".replace(",", ".") == amount.removeprefix("Rp"), name
        figure = by_name[name]
        listed = (await till.office.http.get(figure["href"])).json()
        key = "held" if name == "suspense" else "amount"
        assert (figure["rows"], figure["amount"]) == (rows, rupiah)
        assert len(listed["items"]) == rows < 50
        assert sum(item[key] for item in listed["items"]) == rupiah
    for group in ("billed", "reported", "settled"):
        whole, *parts = [f for f in told if f["group"] == group]
        assert whole["amount"] == sum(part["amount"] for part in parts) > 0
        assert whole["rows"] == sum(part["rows"] for part in parts)


async def until_quiet(till: Till) -> None:
    async def caught_up() -> bool:
        kernel = till.office.running.kernel
        head = await kernel.store.head()
        service = next(s for s in till.office.running.services if s.name == "payment")
        folded = [await projector.positions() for projector in service.folds(worker=False)]
        return all(head in positions.values() for positions in folded)

    await until(caught_up, what="every read model caught up")


async def test_the_treasury_is_for_the_offices_own_treasurer(office: Office, till: Till) -> None:
    case, bill = await till.suspended(), await till.bill()
    stranger = Till(office, "mataram", "MTR")
    foreign = await stranger.bill()
    paths = [
        "/bendahara",
        "/bendahara/tagihan",
        f"/bendahara/titipan/{case}",
        f"/bendahara/jejak/tagihan/{bill.application}",
        "/bendahara/ekspor/bills.csv",
        "/api/treasury/figures",
        f"/api/treasury/suspense/{case}",
    ]
    for path in paths:
        assert (await office.http.get(path, headers=HTML)).status_code == 200, path
    gone = await office.http.get(f"/bendahara/jejak/tagihan/{foreign.application}", headers=HTML)
    assert gone.status_code == 404
    async with as_person(office, "loket") as counter:
        for path in paths:
            assert (await counter.get(path, headers=HTML)).status_code == 403, path
    office.http.cookies.clear()
    for path in paths:
        assert (await office.http.get(path, headers=HTML)).status_code in (303, 401), path


async def test_a_dispute_is_solved_when_the_money_arrives(office: Office, till: Till) -> None:
    bill = await till.bill()
    reference = await till.pay(bill)
    await till.dispute(bill, reference)
    problem = await till.shown("problems", lambda row: row["detail"] == reference)
    assert (problem["kind"], problem["amount"], problem["state"]) == (
        "dispute",
        bill.amount,
        "open",
    )
    await till.settle(bill, reference, yesterday(till))
    await till.shown(
        "problems", lambda row: row["detail"] == reference and row["state"] == "solved"
    )


async def test_a_contradiction_is_solved_by_what_arrives(office: Office, till: Till) -> None:
    bill = await till.bill()
    reference = await till.pay(bill)
    await till.contradict(bill, reference)
    wanted = {"kind": "contradiction", "search": bill.number}
    await till.shown("problems", lambda row: row["state"] == "open", **wanted)
    await till.settle(bill, reference, yesterday(till))
    await till.shown("problems", lambda row: row["state"] == "solved", **wanted)


async def test_exports_hold_what_the_list_holds(office: Office, till: Till) -> None:
    bill = await till.bill()
    await till.shown("bills", lambda row: row["number"] == bill.number)
    told = await office.http.get("/bendahara/ekspor/bills.csv", params={"search": bill.number})
    assert told.headers["content-type"].startswith("text/csv; charset=utf-8")
    head, row = csv.reader(io.StringIO(told.text, newline=""), strict=True)
    assert dict(zip(head, row, strict=True))["amount"] == "240000"
    printed = await office.http.get(
        "/bendahara/ekspor/bills.pdf", params={"search": bill.number, "lang": "en"}
    )
    text = PdfReader(io.BytesIO(printed.content)).pages[0].extract_text()
    for part in (bill.number, "Rp240.000", "Waiting for payment", "Page 1"):
        assert part in text
    assert (await office.http.get("/bendahara/ekspor/secrets.csv")).status_code == 404


async def test_events_are_told_with_position_time_and_person(office: Office, till: Till) -> None:
    bill = await till.bill()
    reference = await till.pay(bill)
    page = await office.http.get(
        f"/bendahara/jejak/tagihan/{bill.application}?lang=en", headers=HTML
    )
    for text in ("Bill issued", "Payment received", "Position ", reference, "Bank (bank-contoh)"):
        assert text in page.text


async def test_a_list_moves_by_itself_and_says_when_it_is_empty(office: Office, till: Till) -> None:
    path = "/bendahara/titipan"
    empty = await office.http.get(f"{path}?lang=id&search=TIDAK-ADA", headers=HTML)
    assert "Tidak ada dana titipan di sini" in empty.text
    async with office.http.stream("GET", f"{path}/langsung") as stream:
        lines = stream.aiter_lines()
        await frame(lines)
        case = await till.suspended()
        while case not in await frame(lines):
            # A frame drawn before the read model held the new row; the next one follows.
            continue


async def test_a_fee_that_cannot_be_billed_is_a_problem_until_it_is(
    office: Office, till: Till
) -> None:
    number = await till.fee_without_bill()
    problem = await till.shown("problems", lambda row: row["number"] == number)
    assert (problem["kind"], problem["state"]) == ("no-bill", "open")
    page = await office.http.get("/bendahara/masalah?lang=en", headers=HTML)
    assert "A measure was given that the tariff does not use." in page.text
    await till.bill(number=number, application_id=derived_id("till", number))
    await till.shown("problems", lambda row: row["number"] == number and row["state"] == "solved")
