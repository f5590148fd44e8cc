"""Jakarta: four levels, four ways in, a pilot by type, and originals held against their scans."""

from __future__ import annotations

from tests.journeys.people import PERSON, Applicant, Kept, Officer, People, people
from tests.journeys.place import Place

TRADE = {"business-name": "PT Contoh", "business-address": "Jl. Contoh No. 6, Tebet"}
TRADE_PAPERS = ("ktp", "npwp", "pas-foto", "neraca", "domisili")
HOUSE = {"location": "Jl. Contoh No. 7, Tebet", "area": 90, "use": "Rumah tinggal"}
HOUSE_PAPERS = ("formulir", "ktp", "surat-tanah", "gambar-denah", "pbb")
SHOP = {"business-name": "Warung Contoh", "business-address": "Jl. Contoh No. 8, Menteng Dalam"}
SHOP_PAPERS = ("ktp", "kk", "pengantar")
STUDY = {"title": "Penelitian contoh", "institution": "Kampus Contoh", "from": "2027-01-04"}
STUDY_PAPERS = ("permohonan", "proposal", "ktp", "pas-foto", "pernyataan")


async def walk(place: Place) -> None:
    """Walk the whole journey."""
    async with people(place) as offices:
        await _what_came_to_the_wrong_level_is_handed_over_and_collected(offices)
        await _a_type_outside_the_pilot_goes_to_the_counter_by_email(offices)
        await _a_caller_is_served_by_telephone(offices)
        await _the_province_decides_what_covers_several_cities(offices)


async def _what_came_to_the_wrong_level_is_handed_over_and_collected(offices: People) -> None:
    trader = await offices.applicant()
    await trader.reads("/izin/siup-jakarta", "sampai 50", "sampai 10.000", "10.000; Provinsi")
    # Filled in at home, at the district; from 50 million rupiah on the city decides.
    kept = await trader.apply("tebet", "siup-jakarta", TRADE | {"capital": 5000}, TRADE_PAPERS)
    assert kept.number.startswith("TBT-")
    await trader.opens(kept)
    await trader.sees(kept, "Diteruskan ke kantor yang berwenang", "lewat internet")

    district = await offices.officer("loket.tebet")
    refused = await district.http.post(
        district.place.at(f"/api/applications/{kept.application_id}/register"), json={}
    )
    assert refused.status_code == 403, refused.text
    counter = await offices.officer("loket.jakarta-selatan")
    await counter.will_read("/pendaftaran", kept.number)
    await counter.register(kept)
    await trader.will_see(kept, "Diproses", "Verifikasi berkas")
    verifier = await offices.officer("verifikator.jakarta-selatan")
    await verifier.does(kept, "complete-stage", stage="verify")
    await verifier.does(kept, "complete-stage", stage="data-entry")
    head = await offices.officer("kepala.jakarta-selatan")
    await head.does(kept, "sign-permit", stage="sign", document_number="SIUP/1/2026")
    await trader.sees(kept, "dokumen asli dari semua yang Anda unggah", "PTSP Kota Jakarta Selatan")
    await _every_original_is_held_against_its_scan(trader, counter, kept)
    await counter.does(kept, "hand-over", stage="hand-over", receiver=PERSON["name"], proof="KTP")
    await trader.sees(kept, "Izin sudah diserahkan.")
    await _leaders_and_auditors_see_it_from_above(offices, kept)


async def _every_original_is_held_against_its_scan(
    trader: Applicant, counter: Officer, kept: Kept
) -> None:
    stage = {"stage": "match-originals"}
    for paper in TRADE_PAPERS[1:]:
        await counter.does(kept, "match-original", requirement=paper, **stage)
    blurred = {"requirement": "ktp", "reason": "Nomor pada KTP asli berbeda."}
    await counter.does(kept, "mismatch-original", **stage, **blurred)
    await trader.sees(kept, "Nomor pada KTP asli berbeda.")
    await counter.is_refused(kept, "complete-stage", "originals-not-matched", **stage)
    await counter.is_refused(kept, "hand-over", "permit-already-issued", **HAND_OVER)
    # The applicant comes again with the right card.
    await counter.does(kept, "match-original", requirement="ktp", **stage)
    await counter.does(kept, "complete-stage", **stage)


HAND_OVER = {"stage": "hand-over", "receiver": PERSON["name"], "proof": "KTP"}


async def _leaders_and_auditors_see_it_from_above(offices: People, kept: Kept) -> None:
    """The city's auditor reads who did what; the district that took it in can't act on it."""
    auditor = await offices.officer("auditor.jakarta-selatan")
    await auditor.reads(
        f"/berkas/{kept.number}",
        *("Diteruskan ke kantor yang berwenang", "Petugas Loket Jakarta Selatan"),
        *("Kepala Kantor Jakarta Selatan", "Nomor pada KTP asli berbeda.", "WIB"),
    )
    province = await offices.officer("penyelia.jakarta")
    await province.reads(f"/berkas/{kept.number}", "Selesai: Penyerahan izin")
    district = await offices.officer("verifikator.tebet")
    answer = await district.http.get(district.place.at(f"/api/workflow/permits/{kept.number}"))
    assert answer.status_code == 403, answer.text


async def _a_type_outside_the_pilot_goes_to_the_counter_by_email(offices: People) -> None:
    builder = await offices.applicant()
    path = builder.place.at("/ajukan/imb?office=tebet")
    refused = await builder.http.get(path, headers={"accept": "text/html"})
    assert refused.status_code == 409
    for way in ("Di loket", "Lewat surel", "Lewat telepon"):
        assert way in refused.text
    # The scans came by e-mail; the counter enters the form and attaches them.
    counter = await offices.officer("loket.tebet")
    await counter.reads("/pendaftaran/baru", "Izin Mendirikan Bangunan")
    kept = await counter.apply("tebet", "imb", HOUSE, HOUSE_PAPERS, channel="email")
    await counter.register(kept)
    page = (await counter.get(f"/pendaftaran/{kept.number}")).text
    assert page.count(f"/dokumen/{kept.application_id}/") == len(HOUSE_PAPERS)
    await builder.opens(kept)
    await builder.sees(kept, "lewat surel", "Verifikasi berkas")


async def _a_caller_is_served_by_telephone(offices: People) -> None:
    """The village enters the form for a caller, who sends what is missing later, and corrects."""
    counter, caller = await offices.officer("loket.menteng-dalam"), await offices.applicant()
    kept = await counter.apply("menteng-dalam", "sku", SHOP, SHOP_PAPERS[:1], channel="phone")
    await caller.opens(kept)
    await caller.sees(kept, "lewat telepon")
    missing = [{"requirement": "kk", "reason": "Kartu keluarga belum dikirim."}]
    await counter.post(f"/api/applications/{kept.application_id}/return", {"shortcomings": missing})
    await caller.sees(kept, "Dikembalikan untuk diperbaiki", "Kartu keluarga belum dikirim.")
    correction = {
        "number": kept.number,
        "code": kept.code,
        "answers": SHOP,
        "documents": await caller.uploaded(SHOP_PAPERS),
    }
    await caller.post(f"/api/applications/{kept.application_id}/correct", correction)
    await caller.sees(kept, "Diajukan")
    await counter.register(kept)
    await caller.will_see(kept, "Diproses")


async def _the_province_decides_what_covers_several_cities(offices: People) -> None:
    student = await offices.applicant()
    study = STUDY | {"cities": 3}
    kept = await student.apply("jakarta-selatan", "penelitian-jakarta", study, STUDY_PAPERS)
    await student.opens(kept)
    await student.sees(kept, "Diteruskan ke kantor yang berwenang")
    counter = await offices.officer("loket.jakarta")
    await counter.will_read("/pendaftaran", kept.number)
    await counter.register(kept)
