"""One message to one recipient: states and decisions; its commands are in ``commands``.

::

    NotQueued ─▶ Queued ─▶ Sending ─▶ Sent ─▶ Delivered ─▶ Read
                   ▲  │       ├─▶ Failed
                   │  │       ├─▶ Unknown ─▶ (one resend) Sending
                   │  │       ├─▶ Queued    deferred, or fell back to another channel
                   │  └─▶ Superseded, Digested
                   └──────────┘

Read, Failed, Superseded and Digested are final, and Delivered all but final: it may still be read.
Nothing else that is reported later changes them, but for one that failed for want of any outcome:
nobody said that it was not delivered, so a late word that it was is believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from services.notify.message.commands import (
    AttemptMessage,
    Command,
    DeferMessage,
    DigestMessage,
    HoldMessage,
    QueueMessage,
    RecordDelivered,
    RecordFailure,
    RecordRead,
    RecordSent,
    RecordUnknown,
    ReleaseMessage,
    Report,
    SupersedeMessage,
)
from services.notify.message.states import (
    NO_OUTCOME,
    QUIET_HOURS,
    TEXT_CLOSED,
    UNHEARD_OF,
    Delivered,
    Digested,
    Ended,
    Failed,
    Message,
    NotQueued,
    Queued,
    Read,
    Sending,
    Sent,
    Superseded,
    Unknown,
)
from services.notify.refusals import NotWaiting, UnknownMessage
from shared.contracts.notify import (
    MessageAttempted,
    MessageDeferred,
    MessageDelivered,
    MessageDigested,
    MessageFailed,
    MessageFellBack,
    MessageOutcomeUnknown,
    MessageQueued,
    MessageRead,
    MessageReleased,
    MessageSent,
    MessageSuperseded,
)
from shared.decider import Decider
from shared.events import AnyFact


def message_stream(message_id: str) -> str:
    """Return the stream of a message."""
    return f"message-{message_id}"


# Decisions


def decide(command: Command, state: Message) -> Sequence[object]:
    """Return what comes of ``command``. Raises UnknownMessage, NotWaiting."""
    if isinstance(command, QueueMessage):
        return _queue(command) if isinstance(state, NotQueued) else []
    if isinstance(state, NotQueued):
        raise UnknownMessage
    if isinstance(command, AttemptMessage):
        return _attempt(command, state)
    if isinstance(state, Ended):
        return _late(command, state)
    return _report(command, state)


def _ids(message: MessageQueued) -> dict[str, str]:
    return {"application_id": message.application_id, "message_id": message.message_id}


def _queue(command: QueueMessage) -> Sequence[object]:
    queued = _queued(command)
    if not command.refused:
        return [queued]
    return [queued, MessageFailed(**_ids(queued), reason=command.refused)]


def _queued(command: QueueMessage) -> MessageQueued:
    return MessageQueued(
        application_id=command.application_id,
        message_id=command.message_id,
        office=command.office,
        rule=command.rule,
        audience=command.audience,
        channel=command.channel,
        recipient=command.recipient,
        language=command.language,
        template=command.template,
        template_version=command.template_version,
        parameters=dict(command.parameters),
        not_before=command.not_before.isoformat() if command.not_before else "",
        digest=command.digest,
        attachment=command.attachment,
        resend_of=command.resend_of,
        gathers=command.gathers,
    )


def _attempt(command: AttemptMessage, state: Message) -> Sequence[object]:
    match state:
        case Queued() | Unknown(resent=False) if command.attempt == state.attempts + 1:
            return [
                MessageAttempted(
                    application_id=state.message.application_id,
                    message_id=state.message.message_id,
                    channel=state.channel,
                    attempt=command.attempt,
                )
            ]
        case _:
            # Never twice at once, and after an unknown outcome only once more.
            raise NotWaiting


def _late(command: Report, state: Ended) -> Sequence[object]:
    """Decide what was reported about a message that is finished."""
    missed = isinstance(state, Failed) and state.reason == NO_OUTCOME
    if missed and isinstance(command, RecordDelivered):
        return [MessageDelivered(**_ids(state.message))]
    if isinstance(command, RecordRead) and (missed or isinstance(state, Delivered)):
        return [MessageRead(**_ids(state.message))]
    return []


def _report(command: Report, state: Queued | Sending | Unknown | Sent) -> Sequence[object]:
    """Decide what was reported about a message that is not finished."""
    ids = _ids(state.message)
    match command:
        case RecordDelivered():
            return [MessageDelivered(**ids)]
        case RecordRead():
            return [MessageRead(**ids)]
        case DigestMessage(into=into):
            free = isinstance(state, Queued) and state.untouched
            return [MessageDigested(**ids, into=into)] if free else []
        case HoldMessage():
            return _hold(command, state)
        case ReleaseMessage(not_before=not_before):
            waits = isinstance(state, Queued) and (state.not_before or not_before) > not_before
            return [MessageReleased(**ids, not_before=not_before.isoformat())] if waits else []
        case SupersedeMessage():
            return [MessageSuperseded(**ids)] if isinstance(state, Queued) else []
        case RecordUnknown(attempt=attempt):
            current = isinstance(state, Sending) and attempt == state.attempts
            return [MessageOutcomeUnknown(**ids, attempt=attempt)] if current else []
        case RecordSent() | DeferMessage() | RecordFailure() if command.channel != state.channel:
            # A late word about a channel that was given up.
            return []
        case RecordSent(channel=channel, provider_id=provider_id):
            if not isinstance(state, Sending | Unknown):
                return []
            return [MessageSent(**ids, channel=channel, provider_id=provider_id)]
        case DeferMessage(reason=reason, not_before=not_before):
            # One that was taken and came back undelivered may be tried again, too.
            if not isinstance(state, Sending | Sent):
                return []
            return [MessageDeferred(**ids, reason=reason, not_before=not_before.isoformat())]
        case RecordFailure(reason=reason, fallback=fallback):
            if fallback and fallback != state.channel:
                return [MessageFellBack(**ids, channel=fallback, reason=reason)]
            return [MessageFailed(**ids, reason=reason)]
        case _:
            assert_never(command)


def _hold(command: HoldMessage, state: Queued | Sending | Unknown | Sent) -> Sequence[object]:
    match state:
        case Queued(not_before=before) if (before or command.now) < command.not_before:
            reason = QUIET_HOURS
        case Unknown(resent=False):
            reason = UNHEARD_OF
        case _:
            return []
    until = command.not_before.isoformat()
    return [MessageDeferred(**_ids(state.message), reason=reason, not_before=until)]


def evolve(state: Message, fact: AnyFact) -> Message:
    """Return the state after ``fact``."""
    event = fact.event
    if isinstance(event, MessageQueued):
        after = datetime.fromisoformat(event.not_before) if event.not_before else None
        return Queued(event, event.channel, not_before=after)
    if isinstance(state, Delivered | Failed) and isinstance(event, MessageRead):
        return Read(state.message, state.channel)
    if isinstance(state, Failed) and isinstance(event, MessageDelivered):
        return Delivered(state.message, state.channel)
    if isinstance(state, NotQueued | Ended):
        return state
    return _moved(state, event, fact.at)


def _moved(state: Queued | Sending | Unknown | Sent, event: object, at: datetime) -> Message:
    message, channel, attempts = state.message, state.channel, state.attempts
    resent = not isinstance(state, Sent) and state.resent
    match event:
        case MessageAttempted(attempt=attempt):
            return Sending(message, channel, attempt, at, resent or isinstance(state, Unknown))
        case MessageOutcomeUnknown(attempt=attempt):
            return Unknown(message, channel, attempt, at, resent)
        case MessageDeferred(not_before=not_before, reason=reason):
            after = datetime.fromisoformat(not_before)
            # Held over the night while nobody knew: what goes out then may be a second copy.
            again = resent or isinstance(state, Unknown)
            return Queued(message, channel, attempts, after, again, reason == TEXT_CLOSED)
        case MessageReleased(not_before=not_before):
            return Queued(message, channel, attempts, datetime.fromisoformat(not_before), resent)
        case MessageFellBack(channel=other):
            return Queued(message, other)
        case MessageSent(provider_id=provider_id):
            return Sent(message, channel, attempts, provider_id)
        case MessageDelivered():
            return Delivered(message, channel)
        case MessageRead():
            return Read(message, channel)
        case MessageFailed(reason=reason):
            return Failed(message, channel, reason)
        case MessageSuperseded():
            return Superseded(message, channel)
        case MessageDigested(into=into):
            return Digested(message, channel, into)
        case _:
            return state


DECIDER: Decider[Message] = Decider(NotQueued(), decide, evolve)
