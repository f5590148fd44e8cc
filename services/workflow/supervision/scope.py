"""Whose files a leader sees: those of the own office and of every office below it."""

from __future__ import annotations

from shared.actors import Role
from shared.identity import Account
from shared.offices import Catalogue

LEADERS = (Role.SUPERVISOR, Role.SIGNER, Role.AUDITOR)


def offices_below(catalogue: Catalogue, office: str) -> tuple[str, ...]:
    """Return an office and all offices below it, from the top down; each once."""
    found = [office]
    for place in found:
        found.extend(
            known.id
            for known in catalogue.offices.values()
            if known.parent == place and known.id not in found
        )
    return tuple(found)


def sees(catalogue: Catalogue, account: Account, office: str) -> bool:
    """Say whether an account may look at an office's files: everybody at their own.

    Leaders see those of the offices below theirs too. Acting on one is another matter.
    """
    if account.office == office:
        return True
    return account.has(*LEADERS) and office in offices_below(catalogue, account.office)
