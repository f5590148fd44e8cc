"""The mail room as the counter uses it."""

from __future__ import annotations

import httpx
import pytest

from services.intake.mail.room import MailRoom, form_key
from services.intake.mail.views import Mails
from services.intake.uploads import Uploads
from shared.contracts.intake import ApplicationCorrected, ApplicationSubmitted
from shared.errors import Unavailable
from shared.ids import derived_id
from tests.unit.intake import letters, papers
from tests.unit.intake.house import House, sha256, token
from tests.unit.intake.test_assisted import CALLER, counter
from tests.unit.intake.test_pages import hidden

HTML = {"accept": "text/html"}
KTP, PLAN = papers.pdf("ktp"), papers.pdf("denah")
PAGE = "/pendaftaran/surat"


async def received(house: House, mail: bytes | None = None, office: str = "tebet") -> str:
    """Take a mail in as the door does, and wait until the list shows it."""
    kernel = house.kernel
    room = MailRoom(
        kernel.handler, Uploads(kernel.uploads), Mails(house.service.database), kernel.now
    )
    given = letters.mail({"ktp.pdf": KTP, "denah.pdf": PLAN, "a.zip": b"PK"})
    mail_id = await room.receive(kernel.catalogue.offices[office], mail or given)
    await house.settled()
    return mail_id


async def submitted(house: House, officer: httpx.AsyncClient, mail_id: str) -> httpx.Response:
    """Enter an application from a mail: sort, look at the form, send it."""
    sorting = (await officer.get(f"{PAGE}/{mail_id}/izin?permit=imb")).text
    assert f'value="{sha256(KTP)}" selected' in sorting
    query = {"office": "tebet", "channel": "email", "mail": mail_id, "doc-ktp": sha256(KTP)}
    form = (await officer.get("/ajukan/imb", params=query)).text
    assert "ktp.pdf" in form
    carried = {name: hidden(form, name) for name in ("key", "mail", "kept-ktp")}
    assert carried["key"] == form_key(mail_id)
    # Nothing that the mail says of its sender is in the form.
    assert letters.SENDER not in form
    typed = CALLER | {"channel": "email", "csrf_token": token(form)} | carried
    return await officer.post("/ajukan/imb", data=typed)


async def test_an_empty_room_says_what_will_appear(house: House) -> None:
    officer = await counter(house, "tebet")
    page = (await officer.get(PAGE)).text
    assert "Tidak ada surel yang menunggu" in page
    assert letters.OFFICE in page
    english = (await officer.get(PAGE, headers={"accept-language": "en"})).text
    assert "No e-mail is waiting" in english
    assert (await house.client.get(PAGE, headers=HTML)).status_code in (303, 401)


async def test_the_list_hides_the_sender_and_shows_what_to_beware_of(house: House) -> None:
    said = {"Authentication-Results": "mx; dmarc=fail"}
    await received(house, letters.mail({"a.zip": b"PK"}, headers=said))
    officer = await counter(house, "tebet")
    page = (await officer.get(PAGE)).text
    assert letters.SENDER not in page
    assert "••••hon@example.org" in page
    assert "Pengirim diragukan" in page
    assert "1 ditolak" in page
    # Another office's counter sees nothing of it.
    assert "Permohonan IMB" not in (await (await counter(house, "bogor")).get(PAGE)).text


async def test_one_mail_shows_its_words_its_documents_and_what_was_not_taken(house: House) -> None:
    mail_id = await received(house)
    officer = await counter(house, "tebet")
    page = (await officer.get(f"{PAGE}/{mail_id}")).text
    for shown in ("Permohonan IMB", letters.SENDER, "ktp.pdf", "a.zip", "Terlampir berkas saya"):
        assert shown in page
    paper = await officer.get(f"{PAGE}/{mail_id}/dokumen/{sha256(KTP)}")
    assert paper.content == KTP
    assert paper.headers["content-disposition"] == 'attachment; filename="surat-1.pdf"'
    assert paper.headers["x-content-type-options"] == "nosniff"
    other = await counter(house, "bogor")
    for path in ("", f"/dokumen/{sha256(KTP)}", "/izin?permit=situ"):
        assert (await other.get(f"{PAGE}/{mail_id}{path}")).status_code == 403
    unknown = f"{PAGE}/{mail_id}/dokumen/{sha256(b'other')}"
    assert (await officer.get(unknown)).status_code == 404


async def test_an_application_is_made_of_a_mail_once(house: House) -> None:
    mail_id = await received(house)
    officer = await counter(house, "tebet")
    answer = await submitted(house, officer, mail_id)
    assert answer.status_code == 303, answer.text
    await house.settled()
    application_id = derived_id("application", form_key(mail_id))
    [recorded] = [
        one for one in await house.events(application_id) if one.type == "ApplicationSubmitted"
    ]
    event: ApplicationSubmitted = house.kernel.codec.decode(recorded)
    assert event.channel == "email"
    assert [(one.requirement, one.sha256) for one in event.documents] == [("ktp", sha256(KTP))]
    assert event.applicant.email == ""
    # It no longer waits, and leads to what was made of it.
    assert mail_id not in (await officer.get(PAGE)).text
    assert mail_id in (await officer.get(f"{PAGE}?status=filed")).text
    page = (await officer.get(f"{PAGE}/{mail_id}")).text
    assert f"/pendaftaran/{event.number}" in page
    # Sent once more, nothing is made of it again.
    assert (await officer.get(f"{PAGE}/{mail_id}/izin?permit=imb")).status_code == 409
    types = [one.type for one in await house.kernel.store.read_all(0)]
    assert types.count("ApplicationSubmitted") == 1
    assert types.count("MailFiled") == 1


async def test_a_process_that_died_in_between_is_caught_up_with(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_id = await received(house)
    officer = await counter(house, "tebet")

    async def dies(*_: object) -> None:
        raise Unavailable

    with monkeypatch.context() as broken:
        broken.setattr(MailRoom, "file", dies)
        assert (await submitted(house, officer, mail_id)).status_code == 503
    types = [one.type for one in await house.kernel.store.read_all(0)]
    assert types[-1] == "ApplicationSubmitted"
    await officer.get(PAGE)
    assert mail_id not in (await officer.get(PAGE)).text
    assert (await officer.get(f"{PAGE}/{mail_id}/izin?permit=imb")).status_code == 409


async def test_somebody_without_the_counters_role_uses_no_mail(house: House) -> None:
    mail_id = await received(house)
    path = f"/ajukan/siup-jakarta?office=tebet&mail={mail_id}&doc-ktp={sha256(KTP)}"
    assert (await house.client.get(path)).status_code == 401
    assert (await (await counter(house, "bogor")).get(path)).status_code == 403
    form = (await house.client.get("/ajukan/siup-jakarta?office=tebet")).text
    typed = {"csrf_token": token(form), "key": "k", "mail": mail_id, "office": "tebet"}
    answer = await house.client.post("/ajukan/siup-jakarta", data=typed | CALLER)
    assert answer.status_code in (403, 422)
    assert [one.type for one in await house.kernel.store.read_all(0)] == ["MailReceived"]


async def test_documents_are_added_to_an_application_that_was_returned(house: House) -> None:
    got = await house.submit()
    bogor = await counter(house, "bogor")
    detail = f"/pendaftaran/{got['number']}"
    mail_id = await received(house, letters.mail({"ktp baru.pdf": papers.pdf("new")}), "bogor")
    early = await bogor.get(f"{PAGE}/{mail_id}/koreksi?number={got['number']}")
    assert early.status_code == 422
    assert "tidak dikembalikan" in early.text
    assert (await bogor.get(f"{PAGE}/{mail_id}/koreksi?number=BGR-2026-999999")).status_code == 422

    page = (await bogor.get(detail)).text
    verdict = {f"check-{one}": "ok" for one in ("bukti-tempat", "persetujuan-tetangga")}
    verdict |= {"check-ktp": "bad", "reason-ktp": "Tidak terbaca", "action": "return"}
    verdict |= {"csrf_token": token(page), "version": hidden(page, "version")}
    assert (await bogor.post(detail, data=verdict)).status_code == 303

    path = f"{PAGE}/{mail_id}/koreksi"
    page = (await bogor.get(f"{path}?number={got['number'].lower()}")).text
    assert "Tidak terbaca" in page
    fields = {name: hidden(page, name) for name in ("number", "version", "key")}
    fields["csrf_token"] = token(page)
    nothing = await bogor.post(path, data=fields)
    assert nothing.status_code == 422
    chosen = fields | {"doc-ktp": sha256(papers.pdf("new"))}
    added = await bogor.post(path, data=chosen)
    assert added.status_code == 303, added.text
    assert added.headers["location"] == detail
    recorded = (await house.events(got["application_id"]))[-1]
    corrected: ApplicationCorrected = house.kernel.codec.decode(recorded)
    assert recorded.actor == "officer:loket"
    assert {one.requirement: one.sha256 for one in corrected.documents}["ktp"] == sha256(
        papers.pdf("new")
    )
    assert len(corrected.documents) == 3
    await house.settled()
    assert mail_id in (await bogor.get(f"{PAGE}?status=filed")).text


async def test_a_mail_is_set_aside_with_a_reason(house: House) -> None:
    mail_id = await received(house)
    officer = await counter(house, "tebet")
    page = (await officer.get(f"{PAGE}/{mail_id}")).text
    path = f"{PAGE}/{mail_id}/sisihkan"
    without = await officer.post(path, data={"csrf_token": token(page), "reason": " "})
    assert without.status_code == 422
    done = await officer.post(path, data={"csrf_token": token(page), "reason": "Iklan."})
    assert done.status_code == 303
    assert mail_id not in (await officer.get(PAGE)).text
    assert mail_id in (await officer.get(f"{PAGE}?status=aside")).text
    assert "Iklan." in (await officer.get(f"{PAGE}/{mail_id}")).text
