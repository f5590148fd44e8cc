"""What happens beside the procedure: absences, stalls that are explained, complaints."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from deploy.simulation import seasons, work
from deploy.simulation.engine import Process
from deploy.simulation.office import Desk
from deploy.simulation.officers import Post
from services.workflow import roster
from services.workflow.commands import AnswerComplaint, ExplainStall, FileComplaint
from services.workflow.states import Closed
from shared.actors import APPLICANT, Actor, Role
from shared.contracts.workflow import PermitIssued, StallExplanationRequested
from shared.errors import JejakError
from shared.events import to_micros
from shared.identity import Account
from shared.ids import derived_id

SUPERVISOR = Post(Role.SUPERVISOR)
_WORKING = frozenset({Role.COUNTER, Role.VERIFIER, Role.SURVEYOR, Role.ASSESSOR, Role.SIGNER})
_DAYS_BETWEEN_ABSENCES = 45
_REASONS = ("Cuti tahunan", "Dinas luar", "Sakit")
_EXPLANATIONS = (
    "Menunggu petugas lapangan kembali.",
    "Berkas menumpuk setelah libur.",
    "Sistem pendukung sempat tidak dapat dipakai.",
    "Perlu konfirmasi dari dinas teknis.",
)


def listen(desk: Desk) -> None:
    """Let explanations and complaints begin where their events say so."""
    world = desk.world

    def asked(event: StallExplanationRequested) -> None:
        here = desk.others[event.office]
        world.clock.spawn(_explain(here, event, _dice(desk, event.stall_id)))

    def issued(event: PermitIssued) -> None:
        dice = _dice(desk, event.number)
        if dice.random() < work.COMPLAINED:
            office = world.permit(event.application_id).file.opened.office
            world.clock.spawn(_complain(desk.others[office], event.application_id, dice))

    world.hearing[StallExplanationRequested] = asked
    world.hearing[PermitIssued] = issued


def _dice(desk: Desk, name: str) -> Random:
    return Random(f"{desk.world.seed}/{name}")


async def _explain(desk: Desk, asked: StallExplanationRequested, dice: Random) -> Process:
    """Explain a stall after some hours, in time or not, with a promise or not; or never."""
    if dice.random() >= work.EXPLAINED:
        return
    minutes = round(seasons.lasting(dice, 110, 0.9))
    yield desk.calendar.add(desk.world.now, minutes)
    world, app = desk.world, asked.application_id
    state = world.permit(app)
    if isinstance(state, Closed):
        return
    stage = world.sop(app).stage(asked.stage)
    post = work.post_of(stage) if stage is not None and stage.role is not None else SUPERVISOR
    promised = ""
    if dice.random() < 0.4:
        promised = (desk.today + timedelta(days=dice.randint(1, 5))).isoformat()
    command = ExplainStall(
        now=world.now,
        by=desk.anybody(post),
        sop=world.sop(app),
        stall_id=asked.stall_id,
        explanation=dice.choice(_EXPLANATIONS),
        promised=promised,
    )
    await world.give_permit(app, command)


async def _complain(desk: Desk, app: str, dice: Random) -> Process:
    """Complain some days after the decision, and be answered, mostly in time."""
    yield desk.after_days(seasons.lasting(dice, 3, 0.8))
    world = desk.world
    complaint = derived_id("simulated-complaint", world.seed, app)
    filed = FileComplaint(
        now=world.now,
        by=APPLICANT,
        complaint_id=complaint,
        text=dice.choice(("Prosesnya lama.", "Petugas sulit dihubungi.", "Biaya tidak jelas.")),
        calendar=desk.calendar,
        days=desk.office.complaint_days,
    )
    await world.give_permit(app, filed)
    days = seasons.lasting(dice, 2.5, 0.7)
    yield desk.calendar.add(world.now, round(days * desk.office.day_minutes))
    answered = AnswerComplaint(
        now=world.now,
        by=desk.anybody(SUPERVISOR),
        sop=world.sop(app),
        complaint_id=complaint,
        answer="Sudah kami tindak lanjuti. Terima kasih atas masukannya.",
    )
    await world.give_permit(app, answered)


def absences(desk: Desk, seed: str) -> None:
    """Let every officer who works on files be away now and then."""
    for account in desk.officers.people:
        if account.roles & _WORKING:
            dice = Random(f"{seed}/{account.username}")
            desk.world.clock.spawn(_be_away(desk, account, dice))


async def _be_away(desk: Desk, account: Account, dice: Random) -> Process:
    while True:
        days = dice.expovariate(1 / _DAYS_BETWEEN_ABSENCES)
        yield desk.calendar.next_open(desk.after_days(1 + days))
        days_away = dice.choices((1, 2, 3, 5, 10), (35, 25, 20, 14, 6))[0]
        for deputy in _deputies(desk, account):
            if await _record(desk, account, deputy, days_away, dice.choice(_REASONS)):
                break
        yield desk.after_days(days_away)


def _deputies(desk: Desk, account: Account) -> list[Account]:
    """Return who may stand in: colleagues with the same roles, else supervisors, else others.

    The treasury works apart.
    """
    others = [a for a in desk.officers.people if a.roles & (_WORKING | {Role.SUPERVISOR})]

    def preference(other: Account) -> tuple[bool, bool, str]:
        same = account.roles <= other.roles
        return not same, not other.has(Role.SUPERVISOR), other.username

    return sorted((one for one in others if one.username != account.username), key=preference)


async def _record(desk: Desk, away: Account, deputy: Account, days: int, reason: str) -> bool:
    """Record an absence from today on; say whether the roster took it."""
    world = desk.world
    by: Actor = away.actor
    if not away.roles <= deputy.roles:
        by = desk.anybody(SUPERVISOR)
    command = roster.RecordAbsence(
        now=world.now,
        by=by,
        office=desk.office.id,
        absence_id=derived_id("simulated-absence", world.seed, away.username, str(desk.today)),
        officer=away.actor,
        deputy=deputy.actor,
        first=desk.today,
        last=desk.today + timedelta(days=days - 1),
        today=desk.today,
        reason=reason,
    )
    where, at = roster.stream(desk.office.id), to_micros(world.now)
    try:
        taken = await world.give(
            roster.DECIDER, where, command, where, away.username, deputy.username, at
        )
    except JejakError:
        # The deputy is away too, or stands in for somebody: the next one is asked.
        return False
    desk.officers.roster = taken
    return True
