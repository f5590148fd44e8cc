"""One evaluation of the working-day clock: the fold of a permit's 40 events, and a reading."""

from __future__ import annotations

import time
from datetime import timedelta
from statistics import median
from typing import Any

from services.workflow import clock
from services.workflow.clock import ClockState
from services.workflow.sop import Sops
from shared.calendar import Calendars
from shared.contracts import workflow as e
from shared.events import Fact
from shared.offices import Catalogue
from tests.bench.permits import START
from tests.bench.processes import ROOT

_TIMES = 500
_HOUR = timedelta(hours=1)


def microseconds() -> float:
    """Return what one evaluation takes (the median), with the year's calendar prepared."""
    catalogue = Catalogue.load(ROOT / "deploy")
    sop = Sops(catalogue).of("bogor", "situ", 1)
    calendar, facts = Calendars(catalogue).of("bogor"), life()
    at = facts[-1].at + _HOUR
    clock.evaluate(ClockState(), calendar, sop, at)
    times = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        state = ClockState()
        for fact in facts:
            state = clock.evolve(state, fact)
        clock.evaluate(state, calendar, sop, at)
        times.append(time.perf_counter() - began)
    return median(times) * 1e6


def life() -> list[Fact[Any]]:
    """Return 40 events of a permit that went back to its applicant six times."""
    about = {"application_id": "A"}
    events: list[Any] = [
        e.PermitOpened(**about, number="1", office="bogor", permit_type="situ", permit_version=1),
        e.StageStarted(**about, stage="verify", role="verifier"),
    ]
    for _ in range(6):
        events.append(e.PermitReturned(**about, stage="verify", reason="-"))
        events.append(e.PermitResumed(**about, stage="verify"))
    for stage in ("verify", "survey", "assess-fee", "await-payment", "sign"):
        alert = {**about, "office": "bogor", "stage": stage, "due_at": ""}
        events += [e.StageDueSoon(**alert), e.SurveyScheduled(**about, stage=stage, on="")]
        events += [e.StageOverdue(**alert), e.StageCompleted(**about, stage=stage)]
        events.append(e.StageStarted(**about, stage=stage, role=""))
    events.append(e.FeeSettled(**about, bill_id="b", amount=1, paid_at=""))
    return [Fact(event, START + 3 * index * _HOUR, "s") for index, event in enumerate(events)]
