"""Messages of the benchmark: written to a store as notify's own sender and rules would have."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from services.notify.rulebook.wording import Template, Templates
from shared.codec import Codec
from shared.contracts.notify import MessageAttempted, MessageQueued, MessageSent
from shared.events import NewEvent
from shared.ids import derived_id, event_id
from shared.store import NO_STREAM, Batch, EventStore

_RULEBOOK = Path(__file__).resolve().parents[2] / "services" / "notify" / "rulebook"
_TOGETHER = 512


def message_id(index: int) -> str:
    """Return our id of a message."""
    return derived_id("bench-message", index)


def stream(index: int) -> str:
    """Return the stream of a message."""
    return f"message-{message_id(index)}"


async def fill(
    store: EventStore, count: int, channel: str, now: int, *, sent: bool, people: int
) -> None:
    """Append ``count`` messages to ``people`` recipients, a file each, queued at ``now`` (µs).

    With ``sent``, the provider has taken every one of them and no report has come yet.
    """
    codec = Codec()
    for start in range(0, count, _TOGETHER):
        batches = [
            Batch(stream(index), _history(codec, index, channel, now, sent, people), NO_STREAM)
            for index in range(start, min(count, start + _TOGETHER))
        ]
        await store.append_many(batches)


def _history(
    codec: Codec, index: int, channel: str, now: int, sent: bool, people: int
) -> Sequence[NewEvent]:
    person = index % people
    ids: dict[str, Any] = {
        "application_id": derived_id("bench-file", person),
        "message_id": message_id(index),
    }
    template = _template()
    events: list[Any] = [
        MessageQueued(
            application_id=ids["application_id"],
            message_id=ids["message_id"],
            office="bogor",
            rule="permit-ready",
            audience="applicant",
            channel=channel,
            recipient=f"+62812{person:08d}",
            language="id",
            template=template.id,
            template_version=template.version,
            parameters=dict.fromkeys(template.parameters, "BGR-2026-000001"),
        )
    ]
    if sent:
        events.append(MessageAttempted(**ids, channel=channel, attempt=1))
        events.append(MessageSent(**ids, channel=channel, provider_id=f"wamid.{index}"))
    cause = derived_id("bench-news", index)
    return [
        codec.envelope(
            event,
            event_id(cause, stream(index), number),
            now,
            "system:notify",
            cause,
            ids["application_id"],
        )
        for number, event in enumerate(events)
    ]


@cache
def _template() -> Template:
    return Templates.load(_RULEBOOK / "texts").current("permit-ready")
