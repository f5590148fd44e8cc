"""Intake for programs: what is accepted, what is refused, and that nothing is echoed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.intake.secrecy import code_hash
from tests.unit.intake import papers
from tests.unit.intake.house import House, sha256

MARK = "zq-tanda-rahasia"


async def post(house: House, body: Any, **headers: str) -> httpx.Response:
    return await house.client.post("/api/applications", json=body, headers=headers)


async def test_an_application_gets_a_number_a_code_and_a_receipt(house: House) -> None:
    got = await house.submit()
    assert got["number"] == "BGR-2026-000001"
    assert len(got["code"]) == 26
    assert got["receipt"]["number"] == got["number"]
    assert len(got["receipt"]["documents"]) == 3
    assert got["links"]["track"] == "/lacak?number=BGR-2026-000001"
    (event,) = await house.events(got["application_id"])
    assert event.type == "ApplicationSubmitted"
    assert got["code"].encode() not in event.data
    assert code_hash(got["code"]).encode() in event.data
    assert b"+6281234567890" in event.data


async def test_a_retry_with_the_same_key_gets_the_same_answer(house: House) -> None:
    first = await house.submit("kunci-1")
    again = await house.submit("kunci-1")
    assert again == first
    assert len(await house.events(first["application_id"])) == 1
    other = await house.submit("kunci-2")
    assert other["number"] == "BGR-2026-000002"
    assert other["code"] != first["code"]


async def test_many_tries_at_once_with_one_key_are_one_application(house: House) -> None:
    body = await house.application()
    answers = await asyncio.gather(
        *(post(house, body, **{"Idempotency-Key": "sama"}) for _ in range(8))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["number"] for answer in answers}) == 1
    assert (await house.submit())["number"] == "BGR-2026-000002"


async def test_the_same_key_with_another_body_is_refused(house: House) -> None:
    await house.submit("kunci")
    body = await house.application()
    body["answers"]["business-name"] = MARK
    refused = await post(house, body, **{"Idempotency-Key": "kunci"})
    assert refused.status_code == 409
    assert refused.json()["code"] == "idempotency-key-reused"
    assert MARK not in refused.text


async def test_concurrent_applications_get_different_numbers(house: House) -> None:
    body = await house.application()
    answers = await asyncio.gather(*(post(house, body) for _ in range(40)))
    numbers = sorted(answer.json()["number"] for answer in answers)
    assert numbers == [f"BGR-2026-{n:06d}" for n in range(1, 41)]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"status": MARK}, "status"),
        ({"amount": 1}, "amount"),
        ({"number": MARK}, "number"),
        ({"office": MARK}, "office"),
        ({"office": "BAD OFFICE " + MARK}, "office"),
        ({"permit_type": MARK}, "permit_type"),
        ({"permit_type": 7}, "permit_type"),
        ({"applicant": {}}, "applicant.name"),
        ({"applicant": MARK}, "applicant"),
        ({"answers": {"business-name": f"{MARK}\x00"}}, "answers.business-name"),
        ({"answers": {"business-name": f"{MARK}\u202e"}}, "answers.business-name"),
        ({"answers": {"business-name": MARK * 70_000}}, "answers.business-name"),
        ({"answers": {"business-name": 12}}, "answers.business-name"),
        ({"answers": {"area": MARK}}, "answers.area"),
        ({"answers": {MARK: 1}}, f"answers.{MARK}"),
        ({"answers": {"\u202e" + MARK: 1}}, "answers.?"),
        ({"answers": []}, "answers"),
        ({"documents": [{"requirement": "ktp", "sha256": MARK, "name": "k.pdf"}]}, "documents.0"),
        ({"documents": [{}] * 30}, "documents"),
    ],
)
@pytest.mark.parametrize("lang", ["id", "en"])
async def test_bad_input_is_refused_by_field_without_echo(
    house: House, change: dict[str, Any], field: str, lang: str
) -> None:
    body = await house.application() | change
    refused = await post(house, body, **{"Accept-Language": lang})
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["content-language"] == lang
    problem = refused.json()
    assert any(error["field"].startswith(field) for error in problem["errors"]), problem
    messages = problem["detail"] + "".join(error["message"] for error in problem["errors"])
    assert MARK not in messages
    assert await house.kernel.store.head() == 0


@pytest.mark.parametrize(
    ("person", "field"),
    [
        ({"nik": "3271"}, "applicant.nik"),
        ({"nik": "3271046504930000"}, "applicant.nik"),
        ({"phone": "0812 TELEPON"}, "applicant.phone"),
        ({"phone": "081234567890/081234567891"}, "applicant.phone"),
        ({"email": "bukan"}, "applicant.email"),
        ({"role": "admin"}, "applicant.role"),
    ],
)
async def test_a_wrong_applicant_is_refused_by_field(
    house: House, person: dict[str, str], field: str
) -> None:
    body = await house.application()
    body["applicant"] |= person
    refused = await post(house, body)
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == [field]


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"{", 422), (b"[1]", 422), (b"\xff\xfe", 422), (b"null", 422), (b'"x"', 422)],
)
async def test_what_is_no_object_is_refused(house: House, content: bytes, status: int) -> None:
    headers = {"content-type": "application/json"}
    refused = await house.client.post("/api/applications", content=content, headers=headers)
    assert refused.status_code in (400, status)
    assert refused.headers["content-type"] == "application/problem+json"


async def test_an_online_application_needs_every_required_document(house: House) -> None:
    body = await house.application()
    missing = {"documents": body["documents"][:1]}
    refused = await post(house, body | missing)
    assert refused.status_code == 422
    assert refused.json()["code"] == "required-documents"
    assert "persetujuan-tetangga" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("document", "status", "code"),
    [
        ({"requirement": "ijazah"}, 422, "unknown-requirement"),
        ({"requirement": "bukti-tempat"}, 422, "unknown-requirement"),
        ({"sha256": "0" * 64}, 422, "unknown-document"),
        ({"name": "../../ktp.pdf"}, 422, "bad-file-name"),
        ({"name": "ktp\u202efdp.pdf"}, 422, "bad-file-name"),
        ({"name": "ktp.exe"}, 415, "wrong-extension"),
        ({"name": "ktp.png"}, 415, "wrong-extension"),
    ],
)
async def test_a_wrong_document_is_refused(
    house: House, document: dict[str, str], status: int, code: str
) -> None:
    body = await house.application()
    body["documents"][0] |= document
    refused = await post(house, body)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert await house.kernel.store.head() == 0


async def test_uploads_are_checked_and_counted(house: House) -> None:
    good = await house.upload(papers.pdf())
    assert good.status_code == 201
    assert good.json() == {
        "sha256": sha256(papers.pdf()),
        "size": len(papers.pdf()),
        "media_type": "application/pdf",
    }
    assert (await house.upload(b"bukan dokumen")).status_code == 415
    assert (await house.upload(papers.pdf_with_script())).json()["code"] == "active-document"
    form = await house.client.post("/api/uploads", files={"file": ("k.pdf", papers.pdf())})
    assert form.status_code == 415


async def test_a_lying_content_length_does_not_get_more_in(house: House) -> None:
    async def much() -> AsyncIterator[bytes]:
        yield papers.pdf()
        for _ in range(11):
            yield bytes(1024 * 1024)

    refused = await house.client.post(
        "/api/uploads", content=much(), headers={"content-length": "100"}
    )
    assert refused.status_code == 413
    assert refused.json()["code"] == "too-large"
    drafts = house.kernel.uploads / "drafts"
    assert list(drafts.iterdir()) == []


async def test_the_counter_returns_the_applicant_corrects_the_counter_registers(
    house: House,
) -> None:
    got = await house.submit()
    desk = await house.sign_in("loket")
    path = got["links"]["self"]
    shown = (await desk.get(path)).json()
    assert (shown["status"], shown["version"]) == ("submitted", 1)
    why = {"shortcomings": [{"requirement": "ktp", "reason": "Foto buram."}], "version": 1}
    returned = await desk.post(f"{path}/return", json=why)
    assert returned.json()["status"] == "returned"
    refused = await desk.post(f"{path}/register", json={})
    assert refused.status_code == 409
    assert refused.json()["allowed"] == ["CorrectApplication", "WithdrawApplication"]
    body = await house.application()
    sent = {"number": got["number"], "code": got["code"].lower(), "answers": body["answers"]}
    same = await house.client.post(f"{path}/correct", json=sent | {"documents": body["documents"]})
    assert same.json()["code"] == "still-the-same"
    new = (await house.upload(papers.jpeg())).json()["sha256"]
    body["documents"][0] |= {"sha256": new, "name": "ktp.jpg"}
    corrected = await house.client.post(
        f"{path}/correct", json=sent | {"documents": body["documents"]}
    )
    assert corrected.json()["status"] == "submitted"
    registered = await desk.post(f"{path}/register", json={"version": 3})
    assert registered.json()["status"] == "registered"
    assert (await desk.post(f"{path}/register", json={"version": 3})).status_code == 200
    types = [event.type for event in await house.events(got["application_id"])]
    assert types == [
        "ApplicationSubmitted",
        "ApplicationReturned",
        "ApplicationCorrected",
        "ApplicationRegistered",
    ]


async def test_a_stale_screen_is_refused(house: House) -> None:
    got = await house.submit()
    desk = await house.sign_in("loket")
    path = got["links"]["self"]
    await desk.post(f"{path}/return", json={"note": "Datanglah ke loket."})
    proof = {"number": got["number"], "code": got["code"]}
    body = await house.application()
    body = {"answers": body["answers"], "documents": body["documents"]}
    corrected = await house.client.post(f"{path}/correct", json=proof | body)
    assert corrected.status_code == 200
    stale = await desk.post(f"{path}/register", json={"version": 1})
    assert stale.status_code == 412


async def test_a_command_key_is_good_for_one_request(house: House) -> None:
    got = await house.submit()
    desk = await house.sign_in("loket")
    path, headers = got["links"]["self"], {"Idempotency-Key": "k"}
    for _ in range(2):
        again = await desk.post(f"{path}/return", json={"note": "Kurang."}, headers=headers)
        assert again.status_code == 200
    other = await desk.post(f"{path}/return", json={"note": "Lain."}, headers=headers)
    assert other.status_code == 409
    assert other.json()["code"] == "idempotency-key-reused"
    assert len(await house.events(got["application_id"])) == 2


async def test_who_may_not_is_refused_and_nothing_changes(house: House) -> None:
    got = await house.submit()
    path = got["links"]["self"]
    assert (await house.client.post(f"{path}/register", json={})).status_code == 401
    verifier = await house.sign_in("verifikator")
    assert (await verifier.post(f"{path}/register", json={})).status_code == 403
    elsewhere = await house.sign_in("loket.mataram")
    for method, where, body in [
        ("GET", path, None),
        ("POST", f"{path}/register", {}),
        ("POST", f"{path}/return", {"note": "x"}),
    ]:
        refused = await elsewhere.request(method, where, json=body)
        assert refused.status_code == 403
        assert refused.json()["code"] == "other-office"
    desk = await house.sign_in("loket")
    assert (await desk.post(f"{path}/return", json={})).status_code == 422
    unknown = {"shortcomings": [{"requirement": "ijazah", "reason": "x"}]}
    assert (await desk.post(f"{path}/return", json=unknown)).status_code == 422
    assert (await desk.get("/api/applications/tidak-ada")).status_code == 404
    assert len(await house.events(got["application_id"])) == 1


async def test_the_counter_enters_an_application_for_somebody(house: House) -> None:
    body = await house.application(channel="counter", documents=[])
    assert (await post(house, body)).status_code == 403
    desk = await house.sign_in("loket")
    taken = await desk.post("/api/applications", json=body)
    assert taken.status_code == 201
    refused = await desk.post(f"{taken.json()['links']['self']}/register", json={})
    assert refused.json()["code"] == "documents-missing"
    assert refused.json()["allowed"] == ["ReturnApplication"]
    closed = await desk.post("/api/applications", json=body | {"channel": "pigeon"})
    assert closed.status_code == 409
    assert closed.json()["allowed"] == ["online", "counter"]


async def test_a_wrong_code_and_an_unknown_number_are_the_same_answer(house: House) -> None:
    got = await house.submit()
    path = f"{got['links']['self']}/withdraw"
    wrong = await house.client.post(path, json={"number": got["number"], "code": "0" * 26})
    unknown = await house.client.post(path, json={"number": "BGR-2026-999999", "code": "0" * 26})
    assert wrong.status_code == unknown.status_code == 404
    assert wrong.json() == unknown.json()
    other = await house.submit()
    proof = {"number": other["number"], "code": other["code"]}
    assert (await house.client.post(path, json=proof)).status_code == 404
    for _ in range(12):
        last = await house.client.post(path, json={"number": got["number"], "code": "0"})
    assert last.status_code == 429
    assert int(last.headers["retry-after"]) > 0


async def test_the_applicant_withdraws_once(house: House) -> None:
    got = await house.submit()
    proof = {"number": got["number"], "code": got["code"], "reason": "Batal."}
    path = f"{got['links']['self']}/withdraw"
    for _ in range(2):
        assert (await house.client.post(path, json=proof)).json()["status"] == "withdrawn"
    assert len(await house.events(got["application_id"])) == 2


async def test_the_catalogue_is_public(house: House) -> None:
    shown = (await house.client.get("/api/catalogue")).json()
    assert {"situ", "siup"} <= {kind["id"] for kind in shown["permit_types"]}
    assert "bogor" in [office["id"] for office in shown["offices"]]
