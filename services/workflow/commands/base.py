"""What every command has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.workflow.sop import Sop
from shared.actors import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Every command says when it is given and by whom."""

    now: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What the applicant uploaded for one requirement. ``sha256`` is lower-case hex."""

    requirement: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ByOfficer(Asked):
    """What an officer asks; ``scans`` are the applicant's documents as intake holds them now."""

    sop: Sop
    scans: tuple[Scan, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AtStage(ByOfficer):
    """What an officer asks of the stage that they saw."""

    stage: str
