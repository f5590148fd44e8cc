"""What codes are called in people's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from shared.events import from_micros
from shared.identity import Accounts
from shared.offices import Catalogue
from shared.web.i18n import Translator, msg

# List and state (or kind) -> word and tone.
STATES: Mapping[tuple[str, str], tuple[str, str]] = {
    ("bills", "open"): (msg("Waiting for payment"), "waiting"),
    ("bills", "paid"): (msg("Paid"), "success"),
    ("bills", "expired"): (msg("Past the due date"), "danger"),
    ("bills", "replaced"): (msg("Replaced by another"), "neutral"),
    ("bills", "cancelled"): (msg("Cancelled"), "neutral"),
    ("payments", "reported"): (msg("Not settled yet"), "waiting"),
    ("payments", "settled"): (msg("On the account"), "success"),
    ("payments", "disputed"): (msg("Never settled"), "danger"),
    ("payments", "reversed"): (msg("Taken back"), "warning"),
    ("suspense", "open"): (msg("Still held"), "info"),
    ("suspense", "held"): (msg("Waits for a decision"), "info"),
    ("suspense", "asked"): (msg("Refund asked for"), "waiting"),
    ("suspense", "agreed"): (msg("Refund approved"), "progress"),
    ("suspense", "closed"): (msg("Finished"), "success"),
    ("suspense", "reversed"): (msg("Taken back"), "warning"),
    ("refunds", "open"): (msg("Not finished"), "waiting"),
    ("refunds", "asked"): (msg("Waits for a second person"), "waiting"),
    ("refunds", "approved"): (msg("To be paid out"), "progress"),
    ("refunds", "declined"): (msg("Declined"), "neutral"),
    ("refunds", "paid"): (msg("Paid out"), "success"),
    ("problems", "open"): (msg("To be looked into"), "danger"),
    ("problems", "solved"): (msg("Solved"), "success"),
    ("files", "taking"): (msg("Being read"), "progress"),
    ("files", "accepted"): (msg("Accepted"), "success"),
    ("files", "rejected"): (msg("Refused"), "danger"),
}
KINDS: Mapping[str, str] = {
    "skrd": msg("Bill (SKRD)"),
    "strd": msg("Late bill (STRD)"),
    "payment": msg("For a bill"),
    "set-aside": msg("No bill could take it"),
    "duplicate": msg("Paid a second time"),
    "contradiction": msg("The bank contradicts itself"),
    "dispute": msg("Reported, never settled"),
    "no-bill": msg("Fee without a bill"),
    "lost-money": msg("Refunded, then taken back by the bank"),
    "from-banks": msg("reported by banks"),
    "for-bills": msg("for a bill"),
    "confirmed": msg("reported before"),
    "unreported": msg("without a report"),
    "allocated": msg("From suspense"),
    "underpaid": msg("Paid too little"),
    "overpaid": msg("Paid too much"),
    "late": msg("Paid too late"),
    "cancelled": msg("Paid for a cancelled bill"),
    "orphan": msg("Names no bill of ours"),
    "callback": msg("Bank's report"),
    "inquiry": msg("Asked the bank"),
    "teller": msg("Bank counter or ATM"),
    "settlement": msg("Settlement file"),
    "suspense": msg("From suspense"),
    "no-tariff": msg("This permit type has no tariff."),
    "no-virtual-account": msg("No bank takes payments for this office."),
    "missing-measure": msg("A measure that the tariff needs is missing."),
    "unknown-measure": msg("A measure was given that the tariff does not use."),
    "measure-out-of-range": msg("A measure is outside of what the tariff covers."),
    "unknown-code": msg("A code was given that the tariff's table does not have."),
    "no-tariff-yet": msg("No tariff was in force on that day."),
    "nothing-owed": msg("The tariff does not come to a payable amount."),
    "bill-already-issued": msg("A bill for another amount was issued before."),
}
LISTS: Mapping[str, str] = {
    "bills": msg("Bills"),
    "payments": msg("Payments"),
    "suspense": msg("Money in suspense"),
    "refunds": msg("Refunds"),
    "problems": msg("To be looked into"),
}
_ACTORS: Mapping[str, str] = {
    "applicant": msg("Applicant"),
    "system": msg("The system"),
    "bank": msg("Bank"),
}


@dataclass(frozen=True)
class Teller:
    """Tells one reader of one office, in their language."""

    tr: Translator
    zone: ZoneInfo
    accounts: Accounts
    catalogue: Catalogue

    def state(self, listing: str, state: str) -> tuple[str, str]:
        """Return a state's word and tone."""
        word, tone = STATES.get((listing, state), (state, "neutral"))
        return self.tr.t(word), tone

    def kind(self, code: str) -> str:
        """Return the word for a kind, reason or source; an unknown code stands for itself."""
        return self.tr.t(KINDS[code]) if code in KINDS else code

    def when(self, micros: int) -> str:
        """Return an instant in the office's time."""
        return self.tr.datetime(from_micros(micros), self.zone)

    def instant(self, text: str) -> str:
        """Return an ISO 8601 instant in the office's time."""
        return self.tr.datetime(datetime.fromisoformat(text), self.zone)

    def day(self, text: str) -> str:
        """Return an ISO 8601 date in words."""
        if not text:
            return ""
        noon = datetime.combine(date.fromisoformat(text), time(12), self.zone)
        return self.tr.date(noon, self.zone)

    def rupiah(self, amount: int) -> str:
        """Return an amount."""
        return self.tr.rupiah(amount)

    def person(self, actor: str) -> str:
        """Return who an envelope's actor (``officer:bendahara``) or an account name is."""
        kind, _, name = actor.partition(":")
        if kind in _ACTORS:
            word = self.tr.t(_ACTORS[kind])
            return f"{word} ({name})" if name else word
        account = self.accounts.find(name or kind)
        return account.display_name if account is not None else name or kind

    def permit(self, permit_type: str) -> str:
        """Return a permit type's name."""
        names = [
            kind.name for (name, _), kind in self.catalogue.types.items() if name == permit_type
        ]
        return names[-1].of(self.tr.lang) if names else permit_type
