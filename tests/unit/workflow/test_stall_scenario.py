"""Two documents stand still over a long weekend; one is explained, one nobody explains.

The office works from 8:00 to 16:00, Monday to Friday. Friday, 16 January 2026, is Isra Mikraj, so
from Thursday 16:00 to Monday 8:00 no time passes. Verification has one working day (480 minutes),
an officer is warned at 80 % (384), has 120 minutes to explain, and the head is told 240 minutes
after the supervisor. Both permits are opened on Wednesday, 14 January, at 15:00:

- warned:      60 minutes on Wednesday + 324 on Thursday  -> Thursday 13:24
- overdue:     60 + 420                                   -> Thursday 15:00, an answer is asked for
- answer by:   60 minutes on Thursday + 60 on Monday      -> Monday 9:00, the supervisor is told
- head told:   240 minutes on Monday                      -> Monday 13:00
- legal limit: 2400 minutes = 60 + 480 (Thursday) + 3 x 480 (Monday to Wednesday) + 420
                                                          -> Thursday, 22 January, 15:00
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from services.workflow import commands as c
from shared.contracts import workflow as e
from tests.unit.workflow.kit import ALL_ROLES, SOP, give, local
from tests.unit.workflow.office import SmallOffice, small_office

WARNED, OVERDUE = local(15, 13, 24), local(15, 15)
SUPERVISOR, HEAD = local(19, 9), local(19, 13)
LIMIT = local(22, 15)


async def swept(office: SmallOffice, at: datetime, *apps: str) -> list[list[str]]:
    """Turn the office's clock to ``at`` and sweep; return what is new for each application."""
    before = [len(await office.events(app)) for app in apps]
    office.at = at
    await office.project()
    await office.sweeper().sweep()
    await office.project()
    return [
        [_told(event) for event in (await office.events(app))[known:]]
        for app, known in zip(apps, before, strict=True)
    ]


def _told(event: object) -> str:
    to = f" {event.to}" if isinstance(event, e.StallEscalated) else ""
    return type(event).__name__ + to


async def test_one_stall_is_explained_and_one_escalated_twice(tmp_path: Path) -> None:
    async with small_office(tmp_path) as office:
        office.at = local(14, 15)
        explained, silent = await office.open(1), await office.open(2)
        asked = ["StageOverdue", "StallExplanationRequested"]
        both = (explained, silent)
        assert await swept(office, local(15, 13, 23), *both) == [[], []]
        assert await swept(office, WARNED, *both) == [["StageDueSoon"], ["StageDueSoon"]]
        assert await swept(office, local(15, 14, 59), *both) == [[], []]
        assert await swept(office, OVERDUE, *both) == [asked, asked]
        question = (await office.events(explained))[-1]
        assert isinstance(question, e.StallExplanationRequested)
        assert datetime.fromisoformat(question.answer_by) == SUPERVISOR
        await _explain(office, explained, question.stall_id)
        # Through the holiday and the weekend nobody is told of anything.
        for at in (local(16, 10), local(17, 10), local(18, 23, 59), local(19, 8, 59)):
            assert await swept(office, at, *both) == [[], []]
        assert await swept(office, SUPERVISOR, *both) == [[], ["StallEscalated supervisor"]]
        await _complete(office, explained, local(19, 10))
        assert await swept(office, local(19, 12, 59), *both) == [[], []]
        assert await swept(office, HEAD, *both) == [[], ["StallEscalated head"]]
        # Monday's promise was kept: nobody is asked about it on Tuesday. The survey that began on
        # Monday at 10:00 has two days: it is warned of after 768 minutes, on Tuesday at 14:48.
        assert await swept(office, local(20, 14, 47), *both) == [[], []]
        assert await swept(office, local(20, 14, 48), *both) == [["StageDueSoon"], []]
        assert await swept(office, local(22, 14, 59), silent) == [[]]
        assert await swept(office, LIMIT, silent) == [["PermitDeemedGranted"]]
        assert await swept(office, local(30, 12), silent) == [[]]
        row = await office.views.row(silent)
        assert row is not None
        assert (row.escalated_to, row.explained_us, row.timer_us) == ("head", 0, None)


async def _explain(office: SmallOffice, app: str, stall: str) -> None:
    office.at = local(15, 15, 30)
    command = c.ExplainStall(
        now=office.at,
        by=ALL_ROLES,
        sop=SOP,
        stall_id=stall,
        explanation="Petugas sakit",
        promised="2026-01-19",
    )
    await office.give(command, app)


async def _complete(office: SmallOffice, app: str, at: datetime) -> None:
    office.at = at
    await office.give(give(c.CompleteStage, now=at), app)
