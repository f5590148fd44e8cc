"""Mataram: apply through the internet, come once, and see the seasons."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

from tests.journeys.past import EIGHT_WEEKS, came_in, last_ramadan, weekdays
from tests.journeys.people import PERSON, Kept, Officer, People, people
from tests.journeys.place import Place

ANSWERS = {"business-name": "Toko Contoh", "business-address": "Jl. Contoh No. 4, Mataram"}
PAPERS = ("ktp", "npwp", "pas-foto")
ORDINARY, RAMADAN = {"online": 5, "counter": 3}, {"online": 4, "counter": 2}


async def walk(place: Place) -> None:
    """Walk the whole journey."""
    async with people(place) as office:
        kept = await _a_trader_comes_once_only_to_collect(office)
        await _anyone_with_number_and_code_sees_how_far_it_is(office, kept)
        helped = await _the_counter_fills_in_the_form_with_somebody(office)
        supervisor = await office.officer("penyelia.mataram")
        await _ways_are_counted(supervisor, kept, helped)
        await _ramadan_is_a_quarter_quieter(place, supervisor)


async def _a_trader_comes_once_only_to_collect(office: People) -> Kept:
    trader = await office.applicant()
    await trader.reads("/izin/siup", "3 hari kerja", "Gratis", "NPWP", "BPMP2T Kota Mataram Daring")
    kept = await trader.apply("mataram", "siup", ANSWERS, PAPERS)
    assert kept.number.startswith("MTR-")
    await trader.opens(kept)
    await trader.sees(kept, "Diajukan", "lewat internet", "Petugas loket")
    await (await office.officer("loket.mataram")).register(kept)
    await trader.will_see(kept, "Diproses", "Verifikasi berkas", "Perkiraan keputusan")
    verifier = await office.officer("verifikator.mataram")
    await verifier.does(kept, "complete-stage", stage="verify")
    await trader.sees(kept, "Pemasukan data")
    await verifier.does(kept, "complete-stage", stage="data-entry")
    head = await office.officer("kepala.mataram")
    await head.does(kept, "sign-permit", stage="sign", document_number="503/1/2026")
    # The first sentence that asks the applicant to come is the last one before it ends.
    await trader.sees(kept, "siap diambil di BPMP2T Kota Mataram", "Bawa KTP")
    counter = await office.officer("loket.mataram")
    await counter.does(kept, "hand-over", stage="hand-over", receiver=PERSON["name"], proof="KTP")
    await trader.sees(kept, "Selesai", "Izin sudah diserahkan.")
    return kept


async def _anyone_with_number_and_code_sees_how_far_it_is(office: People, kept: Kept) -> None:
    """The applicant gives both to whom they trust; the number alone shows nothing."""
    friend = await office.applicant()
    closed = await friend.get(f"/lacak/{kept.number}", 303)
    assert closed.headers["location"] == f"/lacak?number={kept.number}"
    wrong = await friend.fill("/lacak", number=kept.number, code="0" * 26)
    assert wrong.status_code == 404
    await friend.opens(kept)
    said = await friend.sees(kept, "Selesai")
    assert PERSON["name"] not in said


async def _the_counter_fills_in_the_form_with_somebody(office: People) -> Kept:
    counter = await office.officer("loket.mataram")
    await counter.reads("/pendaftaran/baru", "Surat Izin Usaha Perdagangan (SIUP)")
    kept = await counter.apply("mataram", "siup", ANSWERS, PAPERS, channel="counter")
    await counter.register(kept)
    guest = await office.applicant()
    await guest.opens(kept)
    await guest.sees(kept, "di loket", "Verifikasi berkas")
    # Nobody but the counter may say that it was at the counter.
    refused = await guest.http.post(
        guest.place.at("/api/applications"),
        json={
            "office": "mataram",
            "permit_type": "siup",
            "channel": "counter",
            "applicant": PERSON,
            "answers": ANSWERS,
            "documents": await guest.uploaded(PAPERS),
        },
    )
    assert refused.status_code == 403, refused.text
    return kept


async def _ways_are_counted(supervisor: Officer, *handed_in: Kept) -> None:
    said = await supervisor.will_read("/papan/jumlah", "Internet: 1 (50 %)", "Loket: 1 (50 %)")
    assert len(handed_in) == 2
    assert "Ramadan" in said


async def _ramadan_is_a_quarter_quieter(place: Place, supervisor: Officer) -> None:
    """The chart marks the month, and a sentence says the dip in numbers."""
    first, last = last_ramadan(datetime.now(UTC).date())
    begin, end = first - EIGHT_WEEKS, last + EIGHT_WEEKS
    days = {day: RAMADAN if first <= day <= last else ORDINARY for day in weekdays(begin, end)}
    total = await came_in(place, "mataram", "MTR", "Asia/Makassar", days)
    page = f"/papan/jumlah?sampai={end}"
    online = sum(ways["online"] for ways in days.values())
    said = await supervisor.will_read(
        page,
        "25 % lebih sedikit per hari kerja",
        f"Internet: {online} (",
        f"Loket: {total - online} (",
    )
    assert "6 per hari kerja, dibandingkan 8" in said
    drawn = (await supervisor.get(page)).text
    assert drawn.count('fill="url(#ramadan)"') == len({(d.year, d.month) for d in (first, last)})
    rows = list(
        csv.DictReader(io.StringIO((await supervisor.get(f"/papan/jumlah.csv?sampai={end}")).text))
    )
    assert sum(int(row["received"]) for row in rows) == total
    assert {row["channel"] for row in rows} == {"online", "counter"}
