"""Who asks: the roles of an office and the actor written into every event."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person may do in an office. One person may hold several."""

    COUNTER = "counter"
    VERIFIER = "verifier"
    SURVEYOR = "surveyor"
    ASSESSOR = "assessor"
    SIGNER = "signer"
    SUPERVISOR = "supervisor"
    TREASURER = "treasurer"
    AGENCY = "agency"
    AUDITOR = "auditor"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is asking. ``name`` is an account or system name, never a person's own name.

    ``kind`` is one of ``applicant``, ``officer``, ``system``, ``bank``. What follows is set for
    officers only: ``agency`` is the technical agency (OPD) that one with that role works for, and
    ``stands_in`` the absent colleagues whose work is theirs today, ``roles`` included.
    """

    kind: str
    name: str = ""
    office: str = ""
    roles: frozenset[Role] = frozenset()
    agency: str = ""
    stands_in: frozenset[str] = frozenset()

    def __str__(self) -> str:
        """Return the text stored in the envelope, such as ``officer:loket`` or ``applicant``."""
        return f"{self.kind}:{self.name}" if self.name else self.kind


APPLICANT = Actor("applicant")


def system(service: str) -> Actor:
    """Return the actor for what a service does of its own accord (reactions, timers)."""
    return Actor("system", service)


def bank(partner: str) -> Actor:
    """Return the actor for a bank partner's callback."""
    return Actor("bank", partner)
