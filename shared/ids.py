"""Identifiers that come from their cause, so that repeating a cause repeats the id."""

from __future__ import annotations

import secrets
from uuid import UUID, uuid4, uuid5

# A fixed namespace: changing it would change every derived id, so it never changes.
NAMESPACE = UUID("5f1d7a52-8c1e-5d0b-9b57-6a656a616b21")


def new_id() -> str:
    """Return a random id for a cause that starts here (a request without an idempotency key)."""
    return str(uuid4())


def derived_id(*parts: str | int) -> str:
    """Return the uuid5 of the parts; the same parts always give the same id."""
    return str(uuid5(NAMESPACE, "\x1f".join(str(part) for part in parts)))


def event_id(cause_id: str, stream: str, index: int) -> str:
    """Return the id of the ``index``-th event that ``cause_id`` brings about in ``stream``."""
    return derived_id("event", cause_id, stream, index)


def tracking_code() -> str:
    """Return a secret of 128 random bits, in letters and digits that are easy to read aloud.

    Crockford's base 32 without I, L, O, U: 26 characters carry 130 bits.
    """
    return "".join(secrets.choice("0123456789ABCDEFGHJKMNPQRSTVWXYZ") for _ in range(26))
