"""From an invented applicant to a registered application, through intake's own decider."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, timedelta
from random import Random

from deploy.simulation import people, seasons, work
from deploy.simulation.engine import Process
from deploy.simulation.office import Case, Desk
from deploy.simulation.officers import Post
from services.intake import application as intake
from services.intake.catalogue import ONLINE
from services.intake.commands import (
    ApplicationCommand,
    CorrectApplication,
    RegisterApplication,
    ReturnApplication,
    SubmitApplication,
    WithdrawApplication,
)
from services.intake.numbering import OFFICE_NUMBERS, ReserveNumbers, format_number
from services.intake.secrecy import code_hash
from services.intake.states import Returned, held, stream
from shared.actors import APPLICANT, Actor, Role, system
from shared.contracts.intake import Shortcoming
from shared.events import to_micros
from shared.ids import derived_id
from shared.offices import PermitType

COUNTER = Post(Role.COUNTER)
_INTAKE = system("intake")
Journey = Callable[[Desk, Case], Process]


async def arrivals(
    desk: Desk, mix: Sequence[tuple[str, float]], journey: Journey, since: date, dice: Random
) -> Process:
    """Let people come, day after day, each on a ``journey`` of their own.

    ``mix`` are permit types and their weights; only what is in force on the day is applied for.
    """
    day, number = since, 0
    while True:
        working = desk.calendar.is_working_day(day)
        instants = []
        for _ in range(seasons.drawn(dice, seasons.expected(day, desk.rate, working=working))):
            instants.append(seasons.online_instant(dice, day, desk.zone).astimezone(UTC))
        for at in sorted(instants):
            number += 1
            kind = _chosen(desk, mix, day, dice)
            if kind is not None:
                case = _case(desk, number, kind)
                desk.world.clock.spawn(journey(desk, case), at)
        day += timedelta(days=1)
        yield desk.calendar.midnight(day)


def _chosen(
    desk: Desk, mix: Sequence[tuple[str, float]], day: date, dice: Random
) -> PermitType | None:
    name = dice.choices([one for one, _ in mix], [weight for _, weight in mix])[0]
    return desk.world.rules.catalogue.current(name, day)


def _case(desk: Desk, number: int, kind: PermitType) -> Case:
    seed = desk.world.seed
    return Case(
        number,
        derived_id("simulation", seed, number),
        kind,
        desk.world.rules.public.section(kind.id, kind.version),
        Random(f"{seed}/{number}"),
    )


async def to_register(desk: Desk, case: Case) -> Process:
    """Submit, be returned and correct, until registered, given up or withdrawn."""
    channel = _channel(desk, case)
    answers = people.answers(case.section, case.number, case.dice)
    if _decides(desk, case, answers) == "":
        # Nobody here may decide on it: who asks is told so, and sends nothing.
        return
    if channel == ONLINE:
        await _submit(desk, case, channel, APPLICANT, answers)
    else:
        # Whoever comes, calls or writes is served while the office is open.
        served = desk.officers.book(COUNTER, desk.world.now, _minutes(case, work.ENTRY_MINUTES))
        yield served.ends
        await _submit(desk, case, channel, desk.actor(COUNTER, served.account), answers)
    for _ in range(1, people.EDITIONS):
        here = desk.of(case)
        checked = here.officers.book(COUNTER, here.world.now, _minutes(case, work.CHECK_MINUTES))
        yield checked.ends
        if not case.happens(work.INCOMPLETE):
            await _register(here, case, checked.account)
            return
        await _return(here, case, checked.account)
        yield here.after_days(seasons.lasting(case.dice, 3.5, 0.8))
        if case.happens(work.NEVER_CORRECTED):
            if case.happens(0.5):
                await withdraw(here, case)
            return
        await correct(here, case)
    here = desk.of(case)
    checked = here.officers.book(COUNTER, here.world.now, _minutes(case, work.CHECK_MINUTES))
    yield checked.ends
    await _register(here, case, checked.account)


def _channel(desk: Desk, case: Case) -> str:
    open_channels = [
        channel.value
        for channel in desk.office.channels
        if channel != ONLINE or desk.office.takes_online(case.kind.id)
    ]
    weights = [work.CHANNELS[channel] for channel in open_channels]
    return case.dice.choices(open_channels, weights)[0] if open_channels else "counter"


def _minutes(case: Case, median: float) -> float:
    return seasons.lasting(case.dice, median, work.SPREAD)


def _decides(desk: Desk, case: Case, answers: Mapping[str, str]) -> str:
    """Return the office that decides, empty when the level with authority has none here."""
    kind, public = case.kind, desk.world.rules.public
    found = public.authority(desk.office.id, kind.id, kind.version, answers)
    return desk.office.id if found is None else found.office


async def _submit(
    desk: Desk, case: Case, channel: str, by: Actor, answers: Mapping[str, str]
) -> None:
    world, office, kind = desk.world, desk.office, case.kind
    case.registration = await _number(desk, case)
    authority = world.rules.public.authority(office.id, kind.id, kind.version, answers)
    language = "en" if case.happens(0.03) else "id"
    command = SubmitApplication(
        now=world.now,
        by=by,
        application_id=case.application_id,
        number=case.registration,
        office=office.id,
        permit_type=kind.id,
        permit_version=kind.version,
        channel=channel,
        channels=tuple(office.channels),
        online=office.takes_online(kind.id),
        authority=authority,
        applicant=people.applicant(case.number, language),
        answers=answers,
        documents=tuple(map(people.document, case.section.required)),
        code_hash=code_hash(desk.secrecy.code(case.application_id)),
    )
    await _give(desk, case, command)
    world.counts.types[kind.id] += 1
    world.counts.channels[channel] += 1


async def _number(desk: Desk, case: Case) -> str:
    """Return a registration number, reserved as intake does for one who waits alone."""
    world, office = desk.world, desk.office
    year = desk.today.year
    where = f"office-{office.id}"
    command = ReserveNumbers(now=world.now, by=_INTAKE, office=office.id, counts={year: 1})
    last = await world.give(OFFICE_NUMBERS, where, command, where, case.number)
    return format_number(office.code, year, last[year])


async def _register(desk: Desk, case: Case, account: str) -> None:
    by = desk.actor(COUNTER, account)
    required = case.section.required
    command = RegisterApplication(now=desk.world.now, by=by, required=required)
    await _give(desk, case, command)


async def _return(desk: Desk, case: Case, account: str) -> None:
    missing = case.dice.choice(case.section.required)
    reason = case.dice.choice(("Tidak terbaca", "Sudah tidak berlaku", "Belum ditandatangani"))
    command = ReturnApplication(
        now=desk.world.now,
        by=desk.actor(COUNTER, account),
        shortcomings=(Shortcoming(requirement=missing, reason=reason),),
    )
    await _give(desk, case, command)


async def correct(desk: Desk, case: Case) -> None:
    """Send the correction that the office asked for: new editions of what was not in order."""
    world = desk.world
    state = held(world.applications[case.application_id])
    file, documents = state.file, state.file.documents
    if isinstance(state, Returned):
        for shortcoming in state.shortcomings:
            documents = people.corrected(documents, shortcoming.requirement)
    command = CorrectApplication(
        now=world.now,
        by=APPLICANT,
        answers=file.answers,
        documents=documents,
        required=case.section.required,
        authority=world.rules.public.authority(
            file.office, case.kind.id, case.kind.version, file.answers
        ),
    )
    await _give(desk, case, command)


async def withdraw(desk: Desk, case: Case) -> None:
    """Take the application back, for a reason of one's own."""
    reason = case.dice.choice(("Usaha batal dibuka", "Pindah lokasi", "Salah jenis izin"))
    command = WithdrawApplication(now=desk.world.now, by=APPLICANT, reason=reason)
    await _give(desk, case, command)


async def _give(desk: Desk, case: Case, command: ApplicationCommand) -> None:
    where = stream(case.application_id)
    at = to_micros(desk.world.now)
    await desk.world.give(intake.DECIDER, where, command, case.application_id, at)
