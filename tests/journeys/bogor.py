"""Bogor: a gate for completeness, movement to watch, a bill to pay, and stalls explained."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, date, datetime, timedelta

from deploy.bank.client import pay
from tests.journeys.past import stood_still
from tests.journeys.people import PATIENCE, PERSON, Applicant, Kept, Officer, People, people
from tests.journeys.place import Place
from tests.running import until

SHOP = {
    "business-name": "Warung Contoh",
    "business-address": "Jl. Contoh No. 2, Bogor",
    "area": 60,
}
PAPERS = ("ktp", "bukti-tempat", "persetujuan-tetangga")
TRADE = {"business-name": "Toko Contoh", "business-address": "Jl. Contoh No. 3, Bogor"}
TRADE_PAPERS = ("ktp", "npwp", "pas-foto")
WHY = "Petugas sakit dan belum ada penggantinya."


async def walk(place: Place) -> None:
    """Walk the whole journey."""
    async with people(place) as office:
        await _a_shop_is_surveyed_billed_paid_and_signed(office)
        await _a_rejected_trader_reads_why_and_how_to_object(office)
        await _a_stalled_document_is_asked_about_and_explained(office)
        await _leadership_sees_every_officer(office)


async def _a_shop_is_surveyed_billed_paid_and_signed(office: People) -> None:
    owner, counter = await office.applicant(), await office.officer("loket")
    kept = await _handed_in_at_customer_service(owner, counter)
    await _it_moves_and_the_owner_watches(office, owner, kept)
    await _the_bill_is_paid_through_the_bank(owner, kept)
    await owner.will_see(kept, "Rp120.000 diterima", "Penandatanganan")
    await (await office.officer("kepala")).does(
        kept, "sign-permit", stage="sign", document_number="503/2/2026"
    )
    await owner.sees(kept, "siap diambil di BPPTPM Kota Bogor")
    await _by_sms(counter, kept, "siap diambil")
    await counter.does(kept, "hand-over", stage="hand-over", receiver=PERSON["name"], proof="KTP")
    await owner.sees(kept, "Izin sudah diserahkan.")


async def _handed_in_at_customer_service(owner: Applicant, counter: Officer) -> Kept:
    """Customer service takes it in, finds a paper missing, and registers it once it is there."""
    kept = await counter.apply("bogor", "situ", SHOP, PAPERS[:2], channel="counter")
    refused = await counter.http.post(
        counter.place.at(f"/api/applications/{kept.application_id}/register"), json={}
    )
    assert refused.status_code == 409, refused.text
    reason = "Persetujuan tetangga belum ada."
    missing = [{"requirement": "persetujuan-tetangga", "reason": reason}]
    await counter.post(f"/api/applications/{kept.application_id}/return", {"shortcomings": missing})
    await owner.opens(kept)
    await owner.sees(kept, "Dikembalikan untuk diperbaiki", reason)
    correction = {
        "number": kept.number,
        "code": kept.code,
        "answers": SHOP,
        "documents": await owner.uploaded(PAPERS),
    }
    await owner.post(f"/api/applications/{kept.application_id}/correct", correction)
    await owner.sees(kept, "Diajukan")
    await counter.register(kept)
    await owner.will_see(kept, kept.number, "Diproses", "Verifikasi berkas")
    return kept


async def _it_moves_and_the_owner_watches(office: People, owner: Applicant, kept: Kept) -> None:
    verifier, surveyor = await office.officer("verifikator"), await office.officer("survei")
    await verifier.does(kept, "complete-stage", stage="verify")
    today = (await surveyor.stands(kept))["due"][:10]
    await surveyor.does(kept, "schedule-survey", stage="survey", on=today)
    await owner.sees(kept, "Survei lapangan", "dokumen asli")
    found = {"report": "Sesuai gambar.", "recommended": True}
    await surveyor.does(kept, "report-survey", stage="survey", **found)
    await owner.sees(kept, "Survei selesai, direkomendasikan")
    assessor = await office.officer("penilai")
    await assessor.does(kept, "assess-fee", stage="assess-fee", measures={"area_m2": 60})
    await owner.will_see(kept, "Menunggu pembayaran", "Rp120.000")


async def _the_bill_is_paid_through_the_bank(owner: Applicant, kept: Kept) -> None:
    """Rp2.000 for each of 60 square metres, as the office's tariff says; never the browser."""
    await owner.will_read(f"/tagihan/{kept.number}", "Rp120.000")
    bill = (await owner.get(f"/api/bills/{kept.number}")).json()
    assert bill["amount"] == 120_000
    keys = await asyncio.to_thread(owner.place.bank)
    account = bill["virtual_account"]
    assert (await pay(owner.place.addresses["payment"], account, keys=keys)).paid
    assert not (await pay(owner.place.addresses["payment"], account, keys=keys)).paid


async def _by_sms(counter: Officer, kept: Kept, word: str) -> None:
    """The applicant's phone gets the text, and the counter sees that it went out."""
    phones = counter.place.phones

    async def received() -> bool:
        texts = phones.sms("+6281234567890")
        return any(kept.number in text and word in text for text in texts)

    await until(received, PATIENCE, what="the SMS")
    await counter.will_read("/kotak-keluar", kept.number, word)


async def _by_whatsapp(place: Place, kept: Kept) -> None:
    """The verification officer's own phone is asked to explain."""

    async def asked() -> bool:
        messages = place.phones.whatsapps("+6281100000002")
        return ("mohon_penjelasan", kept.number) in {
            (name, told["number"]) for name, told in messages
        }

    await until(asked, PATIENCE, what="the WhatsApp message")


async def _a_rejected_trader_reads_why_and_how_to_object(office: People) -> None:
    trader, counter = await office.applicant(), await office.officer("loket")
    kept = await trader.apply("bogor", "siup", TRADE, TRADE_PAPERS)
    await counter.register(kept)
    await trader.opens(kept)
    await (await office.officer("verifikator")).does(kept, "complete-stage", stage="verify")
    await trader.sees(kept, "Pemasukan data")
    head = await office.officer("kepala")
    reason = "Alamat usaha berada di jalur hijau."
    await (await office.officer("verifikator")).does(kept, "complete-stage", stage="data-entry")
    await head.does(kept, "reject-permit", reason=reason)
    await trader.sees(kept, "Ditolak", reason, "keberatan tertulis", "21 hari kerja")
    again = {"stage": "sign", "document_number": "503/3/2026"}
    await head.is_refused(kept, "sign-permit", "permit-already-closed", **again)


async def _a_stalled_document_is_asked_about_and_explained(office: People) -> None:
    """A file that the counter registered weeks ago; nobody has touched it since."""
    number = "BGR-2026-900001"
    then = datetime.now(UTC) - timedelta(days=30)
    kept = await stood_still(office.place, "bogor", "situ", number, then)
    supervisor, verifier = await office.officer("penyelia"), await office.officer("verifikator")
    await supervisor.will_read("/papan/macet", number, "Diminta penjelasan", "Verifikasi berkas")
    await _by_whatsapp(office.place, kept)
    await verifier.finds(kept)
    page = (await verifier.get(f"/berkas/{number}")).text
    asked = re.search(r'name="stall_id" value="([^"]+)"', page)
    assert asked is not None
    promised = (date.today() + timedelta(days=3)).isoformat()
    answer = {"stall_id": asked[1], "explanation": WHY, "promised": promised}
    await verifier.does(kept, "explain-stall", **answer)
    await supervisor.will_read("/papan/macet?keadaan=explained", number, WHY, "Petugas Verifikasi")
    owner = await office.applicant()
    await owner.opens(kept)
    assert WHY not in await owner.sees(kept, "Verifikasi berkas")
    auditor = await office.officer("auditor")
    await auditor.reads(f"/berkas/{number}", WHY, "Sudah dijelaskan")


async def _leadership_sees_every_officer(office: People) -> None:
    """The same page on a phone and a desk: what is open, and how each officer keeps to time."""
    head = await office.officer("kepala")
    await head.reads("/papan", "Berkas terbuka", "Lewat batas waktu", "BGR-2026-900001")
    await head.will_read(
        "/papan/kinerja", "Petugas Verifikasi", "Petugas Survei", "Kepala Kantor", "Tepat waktu"
    )
