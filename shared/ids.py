"""Identifiers that come from their cause, so that repeating a cause repeats the id."""

from __future__ import annotations

from hashlib import sha1
from uuid import UUID, uuid4

# A fixed namespace: changing it would change every derived id, so it never changes.
NAMESPACE = UUID("5f1d7a52-8c1e-5d0b-9b57-6a656a616b21")
_NAMESPACE = NAMESPACE.bytes
# RFC 9562: the two highest bits of this hexadecimal digit are 1 and 0.
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def new_id() -> str:
    """Return a random id for a cause that starts here (a request without an idempotency key)."""
    return str(uuid4())


def derived_id(*parts: str | int) -> str:
    """Return the uuid5 of the parts; the same parts always give the same id."""
    return _uuid5("\x1f".join(map(str, parts)))


def event_id(cause_id: str, stream: str, index: int) -> str:
    """Return the id of the ``index``-th event that ``cause_id`` brings about in ``stream``."""
    return _uuid5(f"event\x1f{cause_id}\x1f{stream}\x1f{index}")


def _uuid5(name: str) -> str:
    """Return a uuid5; written out, for every event needs one and ``uuid.uuid5`` takes thrice."""
    digest = sha1(_NAMESPACE + name.encode(), usedforsecurity=False).hexdigest()
    variant = _VARIANT[digest[16]]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"
