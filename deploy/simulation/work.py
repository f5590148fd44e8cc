"""How much work each step is, and how the people in it behave. Every figure here is assumed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from deploy.simulation.officers import Post
from services.workflow.sop import Kind, Sop, Stage
from shared.actors import Role

# Minutes that an average officer works on a file.
MINUTES: Final[Mapping[Kind, float]] = {
    Kind.VERIFY: 11,
    Kind.DATA_ENTRY: 7,
    Kind.SURVEY: 45,
    Kind.RECOMMEND: 30,
    Kind.ASSESS_FEE: 9,
    Kind.REVIEW: 10,
    Kind.SIGN: 4,
    Kind.MATCH_ORIGINALS: 8,
    Kind.HAND_OVER: 6,
}
CHECK_MINUTES: Final = 8.0
ENTRY_MINUTES: Final = 9.0
SCHEDULE_MINUTES: Final = 4.0
SPREAD: Final = 0.45

# Shares of files, between 0 and 1.
INCOMPLETE: Final = 0.14
NEVER_CORRECTED: Final = 0.06
WITHDRAWN: Final = 0.008
RETURNED_LATER: Final = 0.04
REJECTED: Final = 0.025
FORGOTTEN: Final = 0.03
SURVEY_SKIPPED: Final = 0.55
COMPLAINED: Final = 0.015
EXPLAINED: Final = 0.72
NEVER_PAID: Final = 0.02
NEVER_COLLECTED: Final = 0.03

CHANNELS: Final[Mapping[str, float]] = {"online": 62, "counter": 30, "email": 5, "phone": 3}
# How many files somebody enters for the applicant.
_ASSISTED: Final = 1 - CHANNELS["online"] / sum(CHANNELS.values())
# The mean of a log-normal duration is above its median.
_MEAN: Final = math.exp(SPREAD**2 / 2)


def post_of(stage: Stage) -> Post:
    """Return who works on a stage. Raises ValueError where nobody does."""
    if stage.role is None:
        raise ValueError(stage.id)
    agency = stage.agency.id if stage.agency and stage.role is Role.AGENCY else ""
    return Post(stage.role, agency)


def daily_minutes(sops: Sequence[Sop], shares: Sequence[float], rate: float) -> dict[Post, float]:
    """Return the minutes of work a day at every post, where ``rate`` files come in a day.

    ``shares`` are the parts (together 1) of the permit types.
    """
    minutes: Counter[Post] = Counter()
    for sop, share in zip(sops, shares, strict=True):
        files = rate * share
        at_counter = CHECK_MINUTES * (1 + INCOMPLETE) + ENTRY_MINUTES * _ASSISTED
        minutes[Post(Role.COUNTER)] += round(files * at_counter * _MEAN)
        for stage in sop.stages:
            if stage.role is not None and stage.survey != "never":
                visited = 1 - SURVEY_SKIPPED if stage.survey == "optional" else 1
                minutes[post_of(stage)] += round(files * visited * MINUTES[stage.kind] * _MEAN)
    minutes[Post(Role.SUPERVISOR)] += 1
    return {post: float(load) for post, load in minutes.items()}
