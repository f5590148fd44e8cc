"""The page of one case of money in suspense, and what people may do with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request, Response
from fastapi.datastructures import FormData

from services.payment import suspense as s
from services.payment.treasury.actions import ACTIONS, BY_NAME, Action
from services.payment.treasury.columns import trail_of_bills
from services.payment.treasury.house import House, Mover, Reader
from services.payment.treasury.lists import SUSPENSE
from services.payment.treasury.trail import steps
from services.payment.treasury.wording import Teller
from shared.errors import InvalidInput, NotAllowed, NotFound, Refused, StaleScreen
from shared.handle import Loaded
from shared.identity import Account
from shared.privacy import mask
from shared.web.forms import Form, Parsed, parse_form, read_form
from shared.web.i18n import msg
from shared.web.pages import language, translator
from shared.web.sse import sse_response

_NOT_OWN = msg(
    "You asked for this refund yourself. Another treasurer or supervisor has to approve it."
)
_TAKEN = msg("{who} works on this case. A supervisor may take it over.")
_READ_ONLY = msg("You may look at this case. A treasurer or a supervisor decides about it.")


class CasePage:
    """One case: how it stands, its events, and the forms allowed to this person now."""

    def __init__(self, house: House) -> None:
        """Draw with the house's pages, act at its desk."""
        self._house = house

    async def show(
        self,
        request: Request,
        suspense_id: str,
        account: Account,
        *,
        sent: tuple[str, Form] | None = None,
        refusal: str = "",
        status_code: int = 200,
    ) -> Response:
        """Draw the page; ``sent`` is the form that came in, by its action's name."""
        loaded = await self._house.desk.case(suspense_id, account.office)
        teller = self._house.desk.teller(account.office, language(request))
        allowed = s.possible(loaded.state, account.actor)
        forms = {action.name: Form(scope=action.scope) for action in ACTIONS}
        return self._house.pages.render(
            request,
            "payment/treasury/case.html",
            status_code=status_code,
            actions=[action for action in ACTIONS if action.command.__name__ in allowed],
            forms=forms | dict([sent] if sent else []),
            sent=sent[0] if sent else "",
            refusal=refusal,
            why_not=_why_not(loaded.state, account, allowed, teller),
            version=loaded.version,
            key=uuid4().hex,
            today=self._house.today(account.office).isoformat(),
            **await self.told(suspense_id, loaded, teller, account),
        )

    async def told(
        self, suspense_id: str, loaded: Loaded[s.Suspense], teller: Teller, account: Account
    ) -> dict[str, Any]:
        """Return the case in words. Raises NotFound when it was never opened."""
        state = loaded.state
        if isinstance(state, s.NotOpened):
            raise NotFound
        word, tone = teller.state("suspense", s.STATE_NAMES[type(state)])
        refund = state.refund if isinstance(state, s.RefundAsked | s.RefundAgreed) else None
        stream = s.suspense_stream(suspense_id)
        row = await self._house.desk.views.one(SUSPENSE, state.case.opened.office, suspense_id)
        return {
            "id": suspense_id,
            "reference": state.case.opened.reference or state.case.opened.request_id,
            "state": word,
            "tone": tone,
            "about": _about(state.case, row.number if row else "", teller),
            "trail": trail_of_bills(row) if row and row.application_id else "",
            "refund": _refund(refund, teller, account) if refund else None,
            "refund_id": refund.asked.refund_id if refund else _late_refund(state),
            "steps": await steps(self._house.store, self._house.codec, stream, teller, account),
        }

    async def acted(
        self, request: Request, suspense_id: str, action: Action, account: Account
    ) -> Response:
        """Carry out what a form asks for; draw the page again, with the reason, when refused."""
        data = await read_form(request)
        parsed = _parsed(action, data)
        if parsed.value is None:
            sent = (action.name, parsed.form)
            return await self.show(request, suspense_id, account, sent=sent, status_code=422)
        seen, key = str(data.get("version", "")), str(data.get("key", ""))[:64]
        version = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else None
        try:
            await self._house.desk.act(
                suspense_id, action, parsed.value, account, seen=version, key=key
            )
        except (Refused, StaleScreen, InvalidInput, NotAllowed) as error:
            refusal = translator(request).t(error.message(), **error.params)
            return await self.show(
                request,
                suspense_id,
                account,
                sent=(action.name, parsed.form),
                refusal=refusal,
                status_code=error.status,
            )
        return self._house.pages.redirect(
            request, f"/bendahara/titipan/{suspense_id}", flash=action.done
        )

    def drawing(self, suspense_id: str, account: Account) -> Callable[[str], Awaitable[str]]:
        """Return how the live part is drawn for everybody with the account's rights."""

        async def draw(lang: str) -> str:
            loaded = await self._house.desk.case(suspense_id, account.office)
            teller = self._house.desk.teller(account.office, lang)
            told = await self.told(suspense_id, loaded, teller, account)
            return self._house.pages.fragment(lang, "payment/treasury/case_body.html", **told)

        return draw


def case_pages(house: House) -> APIRouter:
    """Return ``/bendahara/titipan/{id}``."""
    router, page = APIRouter(include_in_schema=False), CasePage(house)

    @router.get("/bendahara/titipan/{suspense_id}")
    async def show(request: Request, suspense_id: str, account: Reader) -> Response:
        return await page.show(request, suspense_id, account)

    @router.get("/bendahara/titipan/{suspense_id}/langsung")
    async def live(request: Request, suspense_id: str, account: Reader) -> Response:
        await house.desk.case(suspense_id, account.office)
        # Frames are shared by whoever has the same key, and an auditor sees personal data masked.
        rights = "penuh" if s.MOVERS & account.roles else "baca"
        key = f"titipan:{suspense_id}:{rights}"
        house.pulse.watch(s.suspense_stream(suspense_id), key)
        return sse_response(request, house.hub, key, page.drawing(suspense_id, account))

    @router.post("/bendahara/titipan/{suspense_id}/{name}")
    async def act(request: Request, suspense_id: str, name: str, account: Mover) -> Response:
        action = BY_NAME.get(name)
        if action is None:
            raise NotFound
        return await page.acted(request, suspense_id, action, account)

    return router


def _parsed(action: Action, data: FormData) -> Parsed[Any]:
    """Read a form without what every form carries; its field ids keep their scope."""
    own = {
        name: str(value)
        for name, value in data.items()
        if isinstance(value, str) and name not in ("csrf_token", "version", "key")
    }
    parsed = parse_form(action.body, own)
    return Parsed(parsed.value, Form(parsed.form.values, parsed.form.errors, action.scope))


def _why_not(state: s.Suspense, account: Account, allowed: tuple[str, ...], teller: Teller) -> str:
    """Say why the obvious next step is not offered to this person."""
    if not s.MOVERS & account.roles:
        return teller.tr.t(_READ_ONLY)
    if isinstance(state, s.RefundAsked) and "ApproveRefund" not in allowed:
        return teller.tr.t(_NOT_OWN)
    if isinstance(state, s.Held) and "AllocateSuspense" not in allowed:
        return teller.tr.t(_TAKEN, who=teller.person(state.case.claimed_by))
    return ""


def _about(case: s.Case, number: str, teller: Teller) -> list[tuple[str, str]]:
    tr, opened = teller.tr, case.opened
    rows = [
        (tr.t("Amount"), teller.rupiah(opened.amount)),
        (tr.t("Still held"), teller.rupiah(case.held)),
        (tr.t("Why"), teller.kind(opened.reason)),
        (tr.t("Registration number"), number),
        (tr.t("Bank"), opened.partner),
        (tr.t("Bank reference"), opened.reference or opened.request_id),
        (tr.t("Virtual account number"), opened.virtual_account),
        (tr.t("Known from"), teller.kind(opened.source)),
        (tr.t("Who works on it"), teller.person(case.claimed_by) if case.claimed_by else ""),
    ]
    return [(label, value) for label, value in rows if value]


def _refund(refund: s.Refund, teller: Teller, account: Account) -> list[tuple[str, str]]:
    tr, asked = teller.tr, refund.asked
    open_to = bool(s.MOVERS & account.roles)
    personal = (asked.account_number, asked.account_holder)
    number, holder = personal if open_to else map(mask, personal)
    rows = [
        (tr.t("Amount"), teller.rupiah(asked.amount)),
        (tr.t("Receiver's bank"), asked.bank),
        (tr.t("Account number"), number),
        (tr.t("Account holder"), holder),
        (tr.t("Why"), asked.reason),
        (tr.t("Asked by"), teller.person(refund.requester)),
        (tr.t("Approved by"), teller.person(refund.approver) if refund.approver else ""),
    ]
    return [(label, value) for label, value in rows if value]


def _late_refund(state: s.Opened) -> str:
    """Return the refund that was agreed to before the bank took the money back, if there is one."""
    refund = state.refund if isinstance(state, s.Reversed) else None
    return refund.asked.refund_id if refund else ""
