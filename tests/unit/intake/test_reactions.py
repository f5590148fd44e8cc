"""A later stage asks for a correction: intake takes one again, once, from the same applicant."""

from __future__ import annotations

import asyncio

from services.intake.reactions import Reactions
from shared.actors import system
from shared.contracts.workflow import PermitIssued, PermitReturned
from shared.events import to_micros
from shared.ids import new_id
from tests.unit.intake.house import MONDAY, House


async def permit_says(house: House, application_id: str, event: object) -> None:
    """Record what workflow would have recorded."""
    codec, stream = house.kernel.codec, f"permit-{application_id}"
    by = str(system("workflow"))
    new = codec.envelope(event, new_id(), to_micros(MONDAY), by, new_id(), application_id)
    await house.kernel.store.append(stream, [new])


async def until(house: House, path: str, status: str) -> dict[str, object]:
    """Return the application once it has a status."""
    desk = await house.sign_in("loket")
    async with asyncio.timeout(5):
        while (shown := (await desk.get(path)).json())["status"] != status:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return dict(shown)


async def test_a_permit_that_was_returned_can_be_corrected(house: House) -> None:
    got = await house.submit()
    application_id, path = got["application_id"], got["links"]["self"]
    desk = await house.sign_in("loket")
    await desk.post(f"{path}/register", json={})
    returned = PermitReturned(
        application_id=application_id, stage="verify", reason="Alamat belum jelas."
    )
    await permit_says(house, application_id, returned)
    shown = await until(house, path, "returned")
    assert shown["note"] == "Alamat belum jelas."
    body = await house.application()
    body["answers"]["business-address"] = "Jl. Contoh 2, RT 1 RW 2"
    proof = {"number": got["number"], "code": got["code"]}
    sent = proof | {"answers": body["answers"], "documents": body["documents"]}
    corrected = await house.client.post(f"{path}/correct", json=sent)
    assert corrected.json()["status"] == "registered"
    types = [event.type for event in await house.events(application_id)]
    assert types[-2:] == ["ApplicationReturned", "ApplicationCorrected"]


async def test_the_same_event_twice_reopens_once(house: House) -> None:
    got = await house.submit()
    application_id, path = got["application_id"], got["links"]["self"]
    desk = await house.sign_in("loket")
    await desk.post(f"{path}/register", json={})
    event = PermitReturned(application_id=application_id, stage="verify", reason="Kurang.")
    await permit_says(house, application_id, event)
    await until(house, path, "returned")
    (recorded,) = await house.kernel.store.read_stream(f"permit-{application_id}")
    await Reactions(house.kernel.handler).reopen(event, recorded)
    assert len(await house.events(application_id)) == 3


async def test_what_the_office_decided_can_not_be_withdrawn(house: House) -> None:
    got = await house.submit()
    application_id, path = got["application_id"], got["links"]["self"]
    issued = PermitIssued(
        application_id=application_id, number=got["number"], document_number="503/1/2026"
    )
    await permit_says(house, application_id, issued)
    proof = {"number": got["number"], "code": got["code"]}
    refused = await house.client.post(f"{path}/withdraw", json=proof)
    assert (refused.status_code, refused.json()["code"]) == (409, "already-decided")
