"""One application, from submission to registration: decide and evolve.

Stream ``application-{application_id}``. ::

    NotSubmitted ──Submit──▶ Submitted ──Register──▶ Registered
                              │      ▲                │     ▲
                            Return  Correct         Reopen  Correct
                              ▼      │                ▼     │
                              Returned (registered or not yet)

An application can be withdrawn from every state until the office has decided. One that belongs to
another level of government is handed over by the decision that takes it in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from services.intake import refusals
from services.intake.commands import (
    ApplicationCommand,
    Authority,
    CorrectApplication,
    CorrectPhone,
    RegisterApplication,
    ReopenForCorrection,
    ReturnApplication,
    SubmitApplication,
    WithdrawApplication,
)
from services.intake.states import (
    Held,
    NotSubmitted,
    Registered,
    Returned,
    State,
    Submitted,
    Withdrawn,
    evolve,
)
from shared.actors import Actor, Role
from shared.contracts.intake import (
    ApplicantPhoneCorrected,
    ApplicationCorrected,
    ApplicationForwarded,
    ApplicationRegistered,
    ApplicationReturned,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    Document,
    Shortcoming,
)
from shared.decider import Decider
from shared.errors import KeyReused

_ONLINE = "online"


def decide(command: ApplicationCommand, state: State) -> Sequence[object]:
    """Return what happens; ``[]`` for a command that already happened. Raises the refusals."""
    match command:
        case SubmitApplication():
            return _submit(command, state)
        case ReturnApplication():
            return _return(command, state)
        case ReopenForCorrection():
            return _reopen(command, state)
        case CorrectApplication():
            return _correct(command, state)
        case CorrectPhone():
            return _correct_phone(command, state)
        case RegisterApplication():
            return _register(command, state)
        case WithdrawApplication():
            return _withdraw(command, state)
        case _:
            assert_never(command)


def _submit(command: SubmitApplication, state: State) -> Sequence[object]:
    if not isinstance(state, NotSubmitted):
        if _asked(command) == _asked(state.file.submission):
            return []
        raise KeyReused
    _check_channel(command)
    submitted = ApplicationSubmitted(
        application_id=command.application_id,
        number=command.number,
        office=command.office,
        permit_type=command.permit_type,
        permit_version=command.permit_version,
        channel=command.channel,
        applicant=command.applicant,
        answers=dict(command.answers),
        documents=command.documents,
        code_hash=command.code_hash,
        renews=command.renews,
    )
    return [submitted, *_forwarded(submitted, submitted.office, command.authority)]


def _check_channel(command: SubmitApplication) -> None:
    if command.channel not in command.channels:
        raise refusals.ChannelClosed(allowed=command.channels)
    if command.channel != _ONLINE:
        _allow_counter(command.by, command.office)
    elif not command.online:
        raise refusals.NotOnlineYet(allowed=[c for c in command.channels if c != _ONLINE])


def _forwarded(
    submitted: ApplicationSubmitted, office: str, authority: Authority | None
) -> Sequence[ApplicationForwarded]:
    """Return the hand-over from ``office``, if somebody else decides. Raises BeyondAuthority."""
    if authority is None or authority.office == office:
        return []
    if not authority.office:
        raise refusals.BeyondAuthority(level=authority.level)
    return [
        ApplicationForwarded(
            application_id=submitted.application_id,
            number=submitted.number,
            from_office=office,
            office=authority.office,
            level=authority.level,
            reason="authority",
        )
    ]


def _asked(request: SubmitApplication | ApplicationSubmitted) -> tuple[object, ...]:
    """What was asked for. Number, code and version are ours, and may differ on a retry."""
    return (
        request.office,
        request.permit_type,
        request.channel,
        request.applicant,
        dict(request.answers),
        request.renews,
        frozenset((document.requirement, document.sha256) for document in request.documents),
    )


def _return(command: ReturnApplication, state: State) -> Sequence[object]:
    held = _held(state)
    _allow_counter(command.by, held.file.office)
    match held:
        case Submitted():
            return [_returned(held, command.shortcomings, command.note)]
        case Returned():
            if (held.shortcomings, held.note) == (command.shortcomings, command.note):
                return []
            raise refusals.WaitingForApplicant(allowed=[refusals.CORRECT, refusals.WITHDRAW])
        case Registered():
            raise refusals.AlreadyRegistered
        case Withdrawn():
            raise refusals.AlreadyWithdrawn(allowed=[refusals.SUBMIT])
        case _:
            assert_never(held)


def _reopen(command: ReopenForCorrection, state: State) -> Sequence[object]:
    held = _held(state)
    match held:
        case Registered():
            return [_returned(held, (), command.reason)]
        case Returned(registered=True) | Withdrawn():
            # Withdrawn meanwhile: workflow hears of that too, and nobody waits for a correction.
            return []
        case Submitted() | Returned():
            raise refusals.NotRegistered
        case _:
            assert_never(held)


def _correct(command: CorrectApplication, state: State) -> Sequence[object]:
    held = _held(state)
    _allow_applicant(command.by, held.file.office)
    match held:
        case Returned():
            _check_correction(command, held)
            corrected = ApplicationCorrected(
                application_id=held.file.submission.application_id,
                answers=dict(command.answers),
                documents=command.documents,
            )
            # Once it is registered a permit is open, and stays where it is.
            authority = None if held.registered else command.authority
            return [corrected, *_forwarded(held.file.submission, held.file.office, authority)]
        case Submitted() | Registered():
            if (dict(held.file.answers), held.file.documents) == (
                dict(command.answers),
                command.documents,
            ):
                return []
            raise refusals.NothingToCorrect(allowed=[refusals.WITHDRAW])
        case Withdrawn():
            raise refusals.AlreadyWithdrawn(allowed=[refusals.SUBMIT])
        case _:
            assert_never(held)


def _check_correction(command: CorrectApplication, returned: Returned) -> None:
    _check_complete(command.required, command.documents)
    before = {document.requirement: document.sha256 for document in returned.file.documents}
    now = {document.requirement: document.sha256 for document in command.documents}
    same = [
        item.requirement
        for item in returned.shortcomings
        if item.requirement in before and before[item.requirement] == now.get(item.requirement)
    ]
    if same:
        raise refusals.StillTheSame(
            requirements=", ".join(same), allowed=[refusals.CORRECT, refusals.WITHDRAW]
        )


def _correct_phone(command: CorrectPhone, state: State) -> Sequence[object]:
    held = _held(state)
    _allow_counter(command.by, held.file.office)
    if isinstance(held, Withdrawn):
        raise refusals.AlreadyWithdrawn(allowed=[refusals.SUBMIT])
    if command.phone == held.file.phone:
        return []
    return [
        ApplicantPhoneCorrected(
            application_id=held.file.submission.application_id,
            office=held.file.office,
            phone=command.phone,
            reason=command.reason,
        )
    ]


def _register(command: RegisterApplication, state: State) -> Sequence[object]:
    held = _held(state)
    _allow_counter(command.by, held.file.office)
    match held:
        case Submitted():
            _check_complete(command.required, held.file.documents, allowed=[refusals.RETURN])
            submission = held.file.submission
            return [
                ApplicationRegistered(
                    application_id=submission.application_id,
                    number=submission.number,
                    office=held.file.office,
                    permit_type=submission.permit_type,
                    permit_version=submission.permit_version,
                )
            ]
        case Registered() | Returned(registered=True):
            return []
        case Returned():
            raise refusals.WaitingForApplicant(allowed=[refusals.CORRECT, refusals.WITHDRAW])
        case Withdrawn():
            raise refusals.AlreadyWithdrawn(allowed=[refusals.SUBMIT])
        case _:
            assert_never(held)


def _withdraw(command: WithdrawApplication, state: State) -> Sequence[object]:
    held = _held(state)
    _allow_applicant(command.by, held.file.office)
    if isinstance(held, Withdrawn):
        return []
    if command.office_decided:
        raise refusals.AlreadyDecided
    return [
        ApplicationWithdrawn(
            application_id=held.file.submission.application_id, reason=command.reason
        )
    ]


def _held(state: State) -> Held:
    if isinstance(state, NotSubmitted):
        raise refusals.NothingSubmitted(allowed=[refusals.SUBMIT])
    return state


def _returned(held: Held, shortcomings: tuple[Shortcoming, ...], note: str) -> ApplicationReturned:
    return ApplicationReturned(
        application_id=held.file.submission.application_id, shortcomings=shortcomings, note=note
    )


def _check_complete(
    required: Sequence[str], documents: Sequence[Document], allowed: Sequence[str] = ()
) -> None:
    there = {document.requirement for document in documents}
    missing = [requirement for requirement in required if requirement not in there]
    if missing:
        raise refusals.DocumentsMissing(requirements=", ".join(missing), allowed=allowed)


def _allow_counter(by: Actor, office: str) -> None:
    if Role.COUNTER not in by.roles:
        raise refusals.CounterOnly
    if by.office != office:
        raise refusals.OtherOffice


def _allow_applicant(by: Actor, office: str) -> None:
    # The applicant proved the secret code at the door; the counter may help who stands there.
    if by.kind != "applicant":
        _allow_counter(by, office)


DECIDER: Decider[State] = Decider(NotSubmitted(), decide, evolve)
