"""A registered application on its way through the procedure, to its last step or its end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from deploy.simulation import money, seasons, work
from deploy.simulation.arriving import correct, to_register, withdraw
from deploy.simulation.engine import Process
from deploy.simulation.office import Case, Desk
from deploy.simulation.officers import Post
from services.intake.states import held
from services.workflow import commands as c
from services.workflow.sop import Kind, Stage
from services.workflow.states import AwaitingApplicant, Closed, InForce, NotOpened
from shared.actors import Actor, Role
from shared.contracts.workflow import StageCompleted

SIGNER: Final = Post(Role.SIGNER)
_DAY: Final = timedelta(days=1)


async def journey(desk: Desk, case: Case) -> Process:
    """Go the whole way of one application."""
    async for at in to_register(desk, case):
        yield at
    world, app = desk.world, case.application_id
    if isinstance(world.permits.get(app, NotOpened()), NotOpened):
        return
    here = desk.of(case)
    while True:
        state = world.permit(app)
        stage = world.sop(app).stage(state.file.stage)
        if isinstance(state, Closed | InForce) or stage is None:
            break
        if _advised_against(state.file.done):
            async for at in _reject(here, case):
                yield at
        elif isinstance(state, AwaitingApplicant):
            yield here.after_days(seasons.lasting(case.dice, 4, 0.7))
            await correct(here, case)
        elif stage.kind is Kind.AWAIT_PAYMENT:
            paid = False
            async for at in money.pay(here, case):
                yield at
            paid = world.permit(app).file.stage != stage.id
            if not paid:
                break
        else:
            async for at in _step(here, case, stage):
                yield at
            if stage.kind is Kind.HAND_OVER and world.permit(app).file.handed is None:
                break
    world.forget(app)


async def _step(desk: Desk, case: Case, stage: Stage) -> Process:
    """Let whoever works on a stage do it, however long it lies there first."""
    if stage.kind is Kind.HAND_OVER:
        if case.happens(work.NEVER_COLLECTED):
            return
        yield desk.after_days(seasons.lasting(case.dice, 2.5, 0.9), open_hours=True)
    elif stage.kind is Kind.RECOMMEND and stage.budget:
        # An agency's own work: mostly within its time, now and then far beyond.
        minutes = stage.budget * seasons.lasting(case.dice, 0.5, 0.55)
        yield desk.calendar.add(desk.world.now, round(minutes))
    elif case.happens(work.FORGOTTEN) and stage.budget:
        minutes = stage.budget * (1 + case.dice.random() * 2)
        yield desk.calendar.add(desk.world.now, round(minutes))
    post = work.post_of(stage)
    if stage.kind is Kind.SURVEY and (stage.survey == "required" or not _skips(case)):
        scheduled = desk.officers.book(post, desk.world.now, work.SCHEDULE_MINUTES)
        yield scheduled.ends
        async for at in _survey(desk, case, stage, scheduled.account):
            yield at
        return
    minutes = seasons.lasting(case.dice, work.MINUTES[stage.kind], work.SPREAD)
    done = desk.officers.book(post, desk.world.now, minutes)
    yield done.ends
    file = desk.world.permit(case.application_id).file
    # Who has paid, or has the decree already, does not take it back.
    if file.fee is None and file.issued is None and case.happens(work.WITHDRAWN):
        await withdraw(desk, case)
        return
    await _decide(desk, case, stage, desk.actor(post, done.account))


def _skips(case: Case) -> bool:
    return case.happens(work.SURVEY_SKIPPED)


async def _survey(desk: Desk, case: Case, stage: Stage, account: str) -> Process:
    """Set a day, go there on it and report."""
    post, app, world = work.post_of(stage), case.application_id, desk.world
    on = desk.today
    for _ in range(case.dice.choices((1, 2, 3), (88, 9, 3))[0]):
        on += _DAY
        while not desk.calendar.is_working_day(on):
            on += _DAY
    set_for = c.ScheduleSurvey(**_at(desk, case, stage, post, account), on=on, today=desk.today)
    await world.give_permit(app, set_for)
    yield desk.calendar.next_open(desk.calendar.midnight(on))
    minutes = seasons.lasting(case.dice, work.MINUTES[Kind.SURVEY], work.SPREAD)
    done = desk.officers.book(post, world.now, minutes)
    yield done.ends
    fits = not case.happens(work.REJECTED)
    report = "Sesuai permohonan." if fits else "Tidak sesuai dengan permohonan."
    asked = _at(desk, case, stage, post, done.account)
    await world.give_permit(app, c.ReportSurvey(**asked, report=report, recommended=fits))


async def _reject(desk: Desk, case: Case) -> Process:
    """Let the signer refuse what a survey or an agency spoke against, before it is paid for."""
    signed = desk.officers.book(SIGNER, desk.world.now, work.MINUTES[Kind.SIGN])
    yield signed.ends
    by, app = desk.actor(SIGNER, signed.account), case.application_id
    sop = desk.world.sop(app)
    reason = "Tidak memenuhi persyaratan teknis."
    command = c.RejectPermit(now=desk.world.now, by=by, sop=sop, reason=reason)
    await desk.world.give_permit(app, command)


async def _decide(desk: Desk, case: Case, stage: Stage, by: Actor) -> None:
    """Give the command that ends a stage, or the return or rejection instead."""
    world, app = desk.world, case.application_id
    asked = _asked(desk, case, stage, by)
    if stage.kind is Kind.VERIFY and case.happens(work.RETURNED_LATER):
        reason = "Data pada formulir tidak sama dengan berkas."
        await world.give_permit(app, c.ReturnPermit(**asked, reason=reason))
    elif stage.kind is Kind.MATCH_ORIGINALS:
        for scan in asked["scans"]:
            match = c.MatchOriginal(**asked, requirement=scan.requirement)
            await world.give_permit(app, match, scan.requirement)
        await world.give_permit(app, c.CompleteStage(**asked))
    else:
        await world.give_permit(app, _ending(desk, case, stage, asked))


def _advised_against(done: Sequence[StageCompleted]) -> bool:
    """Say whether a survey or an agency spoke against the permit."""
    return any(one.outcome == "not-recommended" for one in done)


def _ending(desk: Desk, case: Case, stage: Stage, asked: dict[str, Any]) -> c.Command:
    match stage.kind:
        case Kind.SURVEY:
            return c.SkipSurvey(**asked, reason="Sudah pernah ditinjau.")
        case Kind.RECOMMEND:
            fits = not case.happens(work.REJECTED)
            note = "Dapat disetujui." if fits else "Tidak sesuai tata ruang."
            letter = f"{case.number:04d}/CONTOH/{desk.today.year}"
            return c.GiveRecommendation(**asked, recommended=fits, note=note, letter=letter)
        case Kind.ASSESS_FEE:
            return c.AssessFee(**asked, measures=money.measures(case, stage))
        case Kind.SIGN:
            number = f"503/{case.registration}"
            return c.SignPermit(**asked, document_number=number, today=desk.today)
        case Kind.HAND_OVER:
            receiver = f"Pemohon Contoh {case.number}"
            return c.HandOver(**asked, receiver=receiver, proof="KTP")
        case _:
            return c.CompleteStage(**asked)


def _at(desk: Desk, case: Case, stage: Stage, post: Post, account: str) -> dict[str, Any]:
    return _asked(desk, case, stage, desk.actor(post, account))


def _asked(desk: Desk, case: Case, stage: Stage, by: Actor) -> dict[str, Any]:
    """Return what every command at a stage has."""
    world, app = desk.world, case.application_id
    documents = held(world.applications[app]).file.documents
    scans = tuple(c.Scan(requirement=d.requirement, sha256=d.sha256) for d in documents)
    return {"now": world.now, "by": by, "sop": world.sop(app), "scans": scans, "stage": stage.id}
