"""Bontang: entered once, an agency that is not ready, and a receipt that can be trusted."""

from __future__ import annotations

from tests.journeys.people import PERSON, Kept, Officer, People, people
from tests.journeys.place import Place

PRACTICE = "Klinik Contoh, Jl. Contoh No. 9, Bontang"
ANSWERS = {"str-number": "STR-CONTOH-01", "practice": PRACTICE}
PAPERS = (
    *("ijazah", "str", "rekomendasi-profesi", "tempat-praktik"),
    *("sehat", "ktp", "pas-foto"),
)
LAND = {"location": "Jl. Contoh, Bontang", "area": 300, "use": "Rumah tinggal"}
LAND_PAPERS = ("ktp", "bukti-tanah", "pbb", "npwp", "pertimbangan", "lingkungan")


async def walk(place: Place) -> None:
    """Walk the whole journey."""
    async with people(place) as office:
        await _a_doctor_trusts_the_receipt_and_gets_the_permit(office)
        await _an_agency_that_is_ready_speaks_for_itself(office)
        await _who_prefers_the_counter_is_served_there(office)


async def _a_doctor_trusts_the_receipt_and_gets_the_permit(office: People) -> None:
    doctor = await office.applicant()
    kept = await doctor.apply("bontang", "sip-dokter", ANSWERS, PAPERS)
    await _anybody_checks_the_receipt(office, kept)
    await doctor.opens(kept)
    await doctor.sees(kept, "Diajukan")

    counter = await office.officer("loket.bontang")
    await counter.register(kept)
    await doctor.will_see(kept, "Diproses", "Verifikasi berkas")
    verifier = await office.officer("verifikator.bontang")
    await _nobody_types_it_again(verifier, kept)
    await verifier.does(kept, "complete-stage", stage="verify")
    await doctor.sees(kept, "Rekomendasi Dinas Kesehatan")

    await _the_counter_speaks_for_the_agency(counter, kept)
    await doctor.sees(kept, "Dinas Kesehatan merekomendasikan", "menurut suratnya 440/17/2026")
    surveyor = await office.officer("survei.bontang")
    await surveyor.does(kept, "skip-survey", stage="survey", reason="Sudah ditinjau bulan lalu.")
    await doctor.sees(kept, "Tidak perlu survei: Sudah ditinjau bulan lalu.")
    head = await office.officer("kepala.bontang")
    await head.does(kept, "sign-permit", stage="sign", document_number="SIP/1/2026")
    await doctor.sees(kept, "SIP/1/2026", "siap diambil")
    await counter.does(kept, "hand-over", stage="hand-over", receiver=PERSON["name"], proof="KTP")
    await doctor.sees(kept, "Izin sudah diserahkan.")
    await _every_action_shows_who_and_when(office, kept)


async def _anybody_checks_the_receipt(office: People, kept: Kept) -> None:
    """The receipt is signed: who scans it learns that it is genuine, and of nothing personal."""
    stranger = await office.applicant()

    said = await stranger.will_read(kept.receipt, kept.number, "Tanda terima ini asli.")
    assert "SHA-256" in said
    assert PERSON["name"] not in said
    assert PERSON["nik"] not in said
    forged = kept.receipt[:-1] + ("A" if kept.receipt[-1] != "A" else "B")
    await stranger.get(forged, 404)


async def _nobody_types_it_again(verifier: Officer, kept: Kept) -> None:
    """What the applicant typed is on the officer's page, and on the form of who issues it."""
    await verifier.reads(f"/berkas/{kept.number}", PRACTICE, "STR-CONTOH-01", PERSON["name"])
    scans = (await verifier.get(f"/berkas/{kept.number}")).text.count("/dokumen/")
    assert scans == len(PAPERS)


async def _the_counter_speaks_for_the_agency(counter: Officer, kept: Kept) -> None:
    """The health agency is not ready: the counter enters its letter, and it says so."""
    opinion = {"stage": "recommend", "recommended": True, "note": "Memenuhi syarat."}
    await counter.reads(f"/berkas/{kept.number}", "atas nama dinas itu", "Dinas Kesehatan")
    await counter.is_refused(kept, "give-recommendation", "letter-needed", **opinion)
    await counter.does(kept, "give-recommendation", letter="440/17/2026", **opinion)


async def _every_action_shows_who_and_when(office: People, kept: Kept) -> None:
    """Against fraud: the auditor reads who did what at which time, and can't do anything."""
    auditor = await office.officer("auditor.bontang")
    said = await auditor.reads(
        f"/berkas/{kept.number}",
        "Petugas Loket Bontang",
        "Petugas Verifikasi Bontang",
        "Petugas Survei Bontang",
        "Kepala Kantor Bontang",
        "menurut suratnya 440/17/2026",
        "WITA",
    )
    assert PERSON["nik"] not in said
    assert (await auditor.stands(kept))["allowed"] == []
    await auditor.is_refused(kept, "reject-permit", "other-role", reason="Coba saja.")


async def _an_agency_that_is_ready_speaks_for_itself(office: People) -> None:
    owner, counter = await office.applicant(), await office.officer("loket.bontang")
    kept = await owner.apply("bontang", "ippt", LAND, LAND_PAPERS)
    await counter.register(kept)
    verifier = await office.officer("verifikator.bontang")
    await verifier.does(kept, "complete-stage", stage="verify")
    opinion = {"stage": "recommend", "recommended": True, "note": "Sesuai tata ruang."}
    await counter.is_refused(
        kept, "give-recommendation", "agency-ready", letter="1/2026", **opinion
    )
    agency = await office.officer("dpupr.bontang")
    await agency.reads("/tugas", kept.number)
    await agency.does(kept, "give-recommendation", **opinion)
    assert kept.number not in await agency.text("/tugas")


async def _who_prefers_the_counter_is_served_there(office: People) -> None:
    counter = await office.officer("loket.bontang")
    await counter.reads("/pendaftaran/baru", "Surat Izin Praktik Dokter")
    kept = await counter.apply("bontang", "sip-dokter", ANSWERS, PAPERS, channel="counter")
    await counter.register(kept)
    await counter.reads(f"/berkas/{kept.number}", "di loket")
