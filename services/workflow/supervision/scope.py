"""Whose files a leader sees: those of the own office and of every office below it."""

from __future__ import annotations

from shared.offices import Catalogue


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
