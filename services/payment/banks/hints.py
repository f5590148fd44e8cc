"""Unsigned callbacks (dialects A and B): noted durably, confirmed by our own signed inquiry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from prometheus_client import Counter

from services.payment.banks import legacy
from services.payment.banks.dialects import LegacyVaProfile, QrisProfile
from services.payment.banks.doubts import HINT, Doubts
from services.payment.banks.legacy import BadHint, Hint
from services.payment.banks.profile import Banks
from services.payment.banks.recording import Recorder
from shared.errors import NotFound
from shared.telemetry import log

# Callbacks that come before their bill are few; whoever sends many is not the bank.
MOST_PARKED: Final = 1000

HINTS = Counter("jejak_bank_hints_total", "Unsigned callbacks", ["outcome"])


class Dialect(NamedTuple):
    """How the callbacks of one dialect are read."""

    profile: type[LegacyVaProfile] | type[QrisProfile]
    read: Callable[[bytes], Hint | None]


VA = Dialect(LegacyVaProfile, legacy.read_va_hint)
QRIS = Dialect(QrisProfile, legacy.read_qris_hint)


class Hints:
    """Takes callbacks that anybody could have sent."""

    def __init__(
        self, banks: Banks, recorder: Recorder, doubts: Doubts, on_hint: Callable[[], None]
    ) -> None:
        """``on_hint`` hears of a hint once it is durable."""
        self._banks = banks
        self._recorder = recorder
        self._doubts = doubts
        self._on_hint = on_hint

    async def take(self, partner: str, dialect: Dialect, body: bytes) -> None:
        """Note what a callback claims. Raises NotFound for an unknown partner, BadHint.

        A number that can't be an account of ours is answered and forgotten, and accounts without
        a bill are bounded, so that nobody can fill the table.
        """
        profile = self._banks.by_id.get(partner)
        if not isinstance(profile, dialect.profile):
            raise NotFound
        try:
            hint = dialect.read(body)
        except BadHint:
            HINTS.labels("malformed").inc()
            raise
        if hint is None or not self._banks.could_be(hint.account):
            HINTS.labels("ignored").inc()
            log.info("bank_hint_ignored", partner=profile.id)
            return
        payee = await self._recorder.payee(profile, hint.account)
        if payee is None and await self._doubts.parked(profile.id) >= MOST_PARKED:
            HINTS.labels("too many").inc()
            log.error("bank_hints_without_bills", partner=profile.id, most=MOST_PARKED)
            return
        await self._doubts.note(
            profile.id,
            hint.account,
            HINT,
            office=payee.office if payee else "",
            request_id=hint.name,
        )
        HINTS.labels("noted").inc()
        self._on_hint()
