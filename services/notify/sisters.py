"""The pages about messages, which lead to each other, and for whom each is."""

from __future__ import annotations

from shared.actors import Role
from shared.identity import Account
from shared.text import msg

FAILED, OUTBOX_PAGE = "/pesan/gagal", "/kotak-keluar"
CHANNELS_PAGE = "/pesan/saluran"
SISTERS = (
    (msg("All messages"), OUTBOX_PAGE),
    (msg("Not arrived"), FAILED),
)
"""The pages about messages, as (label, path)."""
_NARROWER = (
    ((msg("Wordings"), "/pesan/templat"), (Role.SUPERVISOR, Role.ADMIN, Role.AUDITOR)),
    ((msg("Channels"), CHANNELS_PAGE), (Role.SUPERVISOR, Role.ADMIN)),
)


def sisters_of(account: Account | None) -> tuple[tuple[str, str], ...]:
    """Return the pages about messages that are for ``account``."""
    return (*SISTERS, *(page for page, roles in _NARROWER if account and account.has(*roles)))
