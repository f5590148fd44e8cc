"""Blitar: nobody comes to the office, nothing is paid, and a bank believes the letter."""

from __future__ import annotations

import io

from pypdf import PdfReader

from tests.journeys.people import PERSON, Applicant, Kept, People, people
from tests.journeys.place import Place

ANSWERS = {"str-number": "STR-CONTOH-02", "practice": "Klinik Contoh, Jl. Contoh No. 5, Blitar"}
PAPERS = (
    *("ijazah", "str", "rekomendasi-profesi", "tempat-praktik"),
    *("sehat", "ktp", "pas-foto"),
)


async def walk(place: Place) -> None:
    """Walk the whole journey."""
    async with people(place) as office:
        await _what_is_needed_is_known_before(office)
        kept = await _officers_work_from_the_office_and_nobody_comes(office)
        await _nothing_was_ever_owed(office, kept)


async def _what_is_needed_is_known_before(office: People) -> None:
    doctor = await office.applicant()
    said = await doctor.reads(
        "/izin/sip-dokter-unduh",
        *("9 hari kerja", "Gratis", "Ijazah dokter", "Surat tanda registrasi (STR)"),
        *("Rekomendasi organisasi profesi", "Surat keterangan sehat", "Pas foto"),
        "DPMTKPTSP Kota Blitar Daring",
    )
    assert "Di loket" not in said


async def _officers_work_from_the_office_and_nobody_comes(office: People) -> Kept:
    doctor = await office.applicant()
    refused = await _without_a_scan(office)
    assert "tempat-praktik" in refused["detail"]
    kept = await doctor.apply("blitar", "sip-dokter-unduh", ANSWERS, PAPERS)
    await doctor.opens(kept)
    counter = await office.officer("loket.blitar")
    await counter.will_read(f"/pendaftaran/{kept.number}", "Ijazah dokter")
    await counter.register(kept)
    await doctor.will_see(kept, "Diproses", "Verifikasi berkas")
    verifier = await office.officer("verifikator.blitar")
    await verifier.does(kept, "complete-stage", stage="verify")
    opinion = {"stage": "recommend", "recommended": True, "note": "Memenuhi syarat."}
    await (await office.officer("dinkes.blitar")).does(kept, "give-recommendation", **opinion)
    await doctor.sees(kept, "Dinas Kesehatan merekomendasikan")
    surveyor = await office.officer("survei.blitar")
    await surveyor.does(kept, "skip-survey", stage="survey", reason="Dinas sudah meninjau.")
    head = await office.officer("kepala.blitar")
    await head.does(kept, "sign-permit", stage="sign", document_number="SIP/2/2026")
    said = await doctor.sees(kept, "SIP/2/2026", "Berlaku sampai")
    assert "siap diambil" not in said
    assert "Bawa KTP" not in said
    await _the_letter_is_downloaded_and_a_bank_believes_it(office, doctor, kept)
    return kept


async def _the_letter_is_downloaded_and_a_bank_believes_it(
    office: People, doctor: Applicant, kept: Kept
) -> None:
    await doctor.sees(kept, "Unduh surat izin")
    letter = await doctor.get(f"/lacak/{kept.number}/surat.pdf")
    assert letter.headers["content-type"] == "application/pdf"
    said, code = _read(letter.content)
    for word in ("SIP/2/2026", kept.number, PERSON["name"], "DPMTKPTSP Kota Blitar"):
        assert word in said
    stranger = await office.applicant()
    await stranger.get(f"/lacak/{kept.number}/surat.pdf", 404)

    bank = await office.applicant()
    checked = (await bank.get(f"/api/verifikasi/{code}")).json()
    assert (checked["state"], checked["genuine"]) == ("in-force", True)
    assert (checked["number"], checked["holder"]) == (kept.number, PERSON["name"])
    assert "".join(checked["fingerprint"].split()) in "".join(said.split())
    await bank.reads(f"/verifikasi/{code}", "Izin ini berlaku", "SIP/2/2026", PERSON["name"])
    # Who only knows the number learns that it holds, and of the name no more than initials.
    public = (await bank.get(f"/api/verifikasi?number={kept.number}")).json()
    assert (public["state"], public["permits"][0]["genuine"]) == ("in-force", False)
    assert public["permits"][0]["holder"] == "P••• C•••"
    forged = ("A" if code[0] != "A" else "B") + code[1:]
    await bank.get(f"/api/verifikasi/{forged}", 404)


def _read(letter: bytes) -> tuple[str, str]:
    """Return a letter's text, and the code that its QR leads to."""
    pages = PdfReader(io.BytesIO(letter)).pages
    links = {
        str(note.get_object()["/A"]["/URI"])
        for page in pages
        for note in page.get("/Annots", [])
        if "/A" in note.get_object()
    }
    (code,) = {link.rsplit("/", 1)[1] for link in links if "/verifikasi/" in link}
    return " ".join(page.extract_text() for page in pages), code


async def _without_a_scan(office: People) -> dict[str, str]:
    forgetful = await office.applicant()
    body = {
        "office": "blitar",
        "permit_type": "sip-dokter-unduh",
        "applicant": PERSON,
        "answers": ANSWERS,
        "documents": await forgetful.uploaded([p for p in PAPERS if p != "tempat-praktik"]),
    }
    return dict(await forgetful.post("/api/applications", body, 422))


async def _nothing_was_ever_owed(office: People, kept: Kept) -> None:
    """Free means that there is no payment stage and no bill."""
    auditor = await office.officer("auditor.blitar")
    said = await auditor.reads(f"/berkas/{kept.number}", "Kepala Kantor Blitar")
    assert "pembayaran" not in said.lower()
    await auditor.get(f"/api/bills/{kept.number}", 404)
