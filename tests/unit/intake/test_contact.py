"""The counter puts a mobile number right: the page, who may, and what is on record."""

from __future__ import annotations

from services.intake.contact import PhoneFields
from shared.contracts.intake import ApplicantPhoneCorrected
from tests.unit.intake.house import House
from tests.unit.intake.test_pages import accepted, send

FIELDS = {"phone": "0812 9876 5432", "reason": "Pemohon datang ke loket."}


async def test_the_counter_corrects_a_number_with_a_reason(house: House) -> None:
    number, _ = await accepted(house)
    desk = await house.sign_in("loket")
    assert f"/pendaftaran/{number}/nomor" in (await desk.get(f"/pendaftaran/{number}")).text
    path = f"/pendaftaran/{number}/nomor"
    answer = await send(desk, path, FIELDS)
    assert answer.headers["location"] == f"/pendaftaran/{number}"
    page = (await desk.get(f"/pendaftaran/{number}")).text
    assert "+6281298765432" in page
    assert "Nomor sudah diperbaiki." in page
    # Pressed again, it is the same number: nothing more happens.
    await send(desk, path, FIELDS)
    recorded = [
        one
        for one in await house.kernel.store.read_all()
        if one.type == ApplicantPhoneCorrected.__name__
    ]
    (corrected,) = recorded
    event = house.kernel.codec.decode(corrected)
    assert (corrected.actor, event.phone) == ("officer:loket", "+6281298765432")
    assert (event.reason, event.office) == (FIELDS["reason"], "bogor")


async def test_what_is_no_mobile_number_or_has_no_reason_is_asked_again(house: House) -> None:
    number, _ = await accepted(house)
    desk = await house.sign_in("loket")
    path = f"/pendaftaran/{number}/nomor"
    for wrong in ({"phone": "0812/0813"}, {"phone": ""}, {"reason": "  "}, {"reason": "x" * 201}):
        answer = await send(desk, path, FIELDS | wrong)
        assert answer.status_code == 422
        assert f'href="#f-{next(iter(wrong))}"' in answer.text
    assert set(PhoneFields.model_fields) == set(FIELDS)


async def test_only_the_counter_of_its_office_may(house: House) -> None:
    number, _ = await accepted(house)
    path = f"/pendaftaran/{number}/nomor"
    for name in ("verifikator", "loket.mataram"):
        assert (await (await house.sign_in(name)).get(path)).status_code == 403


async def test_a_withdrawn_application_keeps_its_number(house: House) -> None:
    number, code = await accepted(house)
    await send(house.client, "/perbaiki", {"number": number, "code": code})
    await send(house.client, "/perbaiki/isi", {"reason": "Batal."}, action="/perbaiki/tarik")
    desk = await house.sign_in("loket")
    page = (await desk.get(f"/pendaftaran/{number}/nomor")).text
    assert 'name="phone"' not in page
    assert f"/pendaftaran/{number}/nomor" not in (await desk.get(f"/pendaftaran/{number}")).text
