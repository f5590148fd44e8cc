"""What treasurers ask of the service: found within their office, decided, answered once shown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from services.payment import suspense as s
from services.payment.bill import DECIDER as BILL
from services.payment.bill import Open, bill_stream
from services.payment.treasury.actions import Action
from services.payment.treasury.lists import SUSPENSE, TreasuryViews
from services.payment.treasury.tables import BillRow
from services.payment.treasury.wording import Teller
from shared.actors import Role
from shared.errors import NotFound, Refused
from shared.handle import Handler, Loaded, Outcome
from shared.identity import Account, Accounts
from shared.ids import derived_id, new_id
from shared.offices import Catalogue
from shared.service import Now
from shared.web.i18n import Translator

MOVERS = (Role.TREASURER, Role.SUPERVISOR)
READERS = (*MOVERS, Role.AUDITOR)
# The list behind an action is awaited this long; the action itself is durable before.
_LOOKS, _PAUSE_SECONDS = 40, 0.05


class NoSuchBill(Refused):
    """No bill of this office has the registration number."""

    code = "no-such-bill"
    text = "Your office has no bill under this registration number."


@dataclass(frozen=True)
class TreasuryDesk:
    """Everything that pages, exports and API stand on."""

    handler: Handler
    views: TreasuryViews
    catalogue: Catalogue
    accounts: Accounts
    now: Now

    def zone(self, office: str) -> ZoneInfo:
        """Return an office's time zone."""
        return ZoneInfo(self.catalogue.offices[office].zone)

    def teller(self, office: str, lang: str) -> Teller:
        """Return who tells readers of an office how things stand."""
        return Teller(Translator(lang), self.zone(office), self.accounts, self.catalogue)

    async def case(self, suspense_id: str, office: str) -> Loaded[s.Suspense]:
        """Return a case of the office straight from the store. Raises NotFound."""
        loaded = await self.handler.load(s.DECIDER, s.suspense_stream(suspense_id[:64]))
        state = loaded.state
        if isinstance(state, s.NotOpened) or state.case.opened.office != office:
            raise NotFound
        return loaded

    async def act(
        self,
        suspense_id: str,
        action: Action,
        body: Any,
        account: Account,
        *,
        seen: int | None = None,
        key: str = "",
    ) -> Outcome[s.Suspense]:
        """Give a person's command and wait until the lists show what came of it.

        ``seen`` is the version that the person looked at. ``key`` names the request: the same
        request again does nothing more. Raises the decider's refusals, NoSuchBill and StaleScreen.
        """
        loaded = await self.case(suspense_id, account.office)
        # What was asked is part of the cause: a key used twice never swallows another wish.
        said = (suspense_id, action.name, body.model_dump_json())
        cause = derived_id("treasury", account.username, key, *said) if key else new_id()
        outcome = await self.handler.handle(
            s.DECIDER,
            s.suspense_stream(suspense_id),
            await self._command(action, body, account),
            cause=cause,
            application=loaded.events[0].correlation_id,
            seen=seen,
        )
        if outcome.events:
            await self._shown(account.office, suspense_id, outcome.events[-1].occurred_us)
        return outcome

    async def _command(self, action: Action, body: Any, account: Account) -> Any:
        given: dict[str, Any] = {"now": self.now(), "by": account.actor}
        if action.command is s.AllocateSuspense:
            bill = await self._owed(account.office, body.number)
            return s.AllocateSuspense(bill=bill, reason=body.reason, **given)
        if action.command is s.RecordRefundPaid:
            given["zone"] = self.zone(account.office)
        return action.command(**body.model_dump(), **given)

    async def bill(self, office: str, number: str) -> BillRow:
        """Return the last bill of a registration number of the office. Raises NoSuchBill."""
        row = await self.views.last_bill(office, number.strip().upper())
        if row is None:
            raise NoSuchBill
        return row

    async def _owed(self, office: str, number: str) -> s.OwedBill:
        """Return what a registration number owes now; its stream is asked, not the list."""
        row = await self.bill(office, number)
        state = (await self.handler.load(BILL, bill_stream(row.application_id))).state
        bill = state.bill if isinstance(state, Open) else None
        return s.OwedBill(
            application_id=row.application_id,
            bill_id=bill.bill_id if bill else row.bill_id,
            office=bill.office if bill else row.office,
            owed=bill.amount if bill else 0,
        )

    async def _shown(self, office: str, suspense_id: str, at_us: int) -> None:
        async def row() -> bool:
            found = await self.views.one(SUSPENSE, office, suspense_id)
            return found is not None and found.changed_us >= at_us

        await self.until(row)

    async def until(self, shown: Callable[[], Awaitable[object]]) -> None:
        """Wait a moment until a read model shows what was done; it is durable in any case."""
        for _ in range(_LOOKS):
            if await shown():
                return
            await asyncio.sleep(_PAUSE_SECONDS)
