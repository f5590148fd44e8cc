"""From a due row to what is to be appended. Pure, so that any process can do it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from services.workflow import alarms as alarm
from services.workflow import clock_fold as clock
from services.workflow.commands import NudgePermit
from services.workflow.permit import stream
from services.workflow.stalls import called_for
from shared.codec import Codec
from shared.ids import derived_id
from shared.store import Batch

# Office, permit type and version.
Procedure: TypeAlias = tuple[str, str, int]
Nudges: TypeAlias = Mapping[Procedure, NudgePermit]


class Due(NamedTuple):
    """A permit that a sweep must look at, in the order of ``timer_us``, and what it decides from.

    ``clock`` and ``alarms`` are the row's own, as of ``version`` of the permit's stream.
    """

    timer_us: int
    application_id: str
    stage: str
    procedure: Procedure
    version: int
    clock: str
    alarms: str


def cause_of(due: Due) -> str:
    """Return the id of what brings a nudge about: whoever nudges, and however often, it is one."""
    return derived_id("timer", due.application_id, due.stage, due.timer_us)


def decide(due: Due, nudges: Nudges, codec: Codec) -> Batch | None:
    """Return what the row alone calls for, at the version that it knows.

    None where it calls for nothing, or can't be read or decided: whoever nudges that permit by
    itself is told the reason.
    """
    try:
        command = nudges[due.procedure]
        decided = called_for(command, alarm.load(due.alarms, clock.load(due.clock)))
    except Exception:  # noqa: BLE001 - see above
        return None
    if not decided:
        return None
    name = stream(due.application_id)
    events = codec.encode(decided, name, command, cause_of(due), due.application_id)
    return Batch(name, events, due.version)
