"""What events, rules and texts are called on pages: their names in files are no words of people's.

Every event that a rule may name has its words; a test holds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.notify.rulebook.rules import Rule, Rules
from shared.web.i18n import Translator, msg

EVENTS: Final[Mapping[str, str]] = {
    "ApplicationSubmitted": msg("Application submitted"),
    "ApplicationReturned": msg("Application returned for completion"),
    "ApplicationRegistered": msg("Application complete and registered"),
    "BillIssued": msg("Bill issued"),
    "PaymentReceived": msg("Payment received"),
    "PaymentReversed": msg("Payment taken back by the bank"),
    "ApplicationForwarded": msg("Application handed on to another office"),
    "SurveyScheduled": msg("Day of the site visit set"),
    "PermitIssued": msg("Permit issued"),
    "PermitRejected": msg("Application rejected"),
    "PermitHandedOver": msg("Permit handed over"),
    "PermitExpiryNoticed": msg("Permit about to end"),
    "PermitExpired": msg("Permit ended"),
    "RevocationAnnounced": msg("Revocation announced"),
    "RevocationLifted": msg("Revocation called off"),
    "PermitRevoked": msg("Permit revoked"),
    "ComplaintFiled": msg("Complaint filed"),
    "ComplaintAnswered": msg("Complaint answered"),
    "ComplaintOverdue": msg("Complaint not answered in time"),
    "PermitDeemedGranted": msg("Permit counts as granted, since time ran out"),
    "StageDueSoon": msg("Stage soon due"),
    "StageOverdue": msg("Stage overdue"),
    "StallExplanationRequested": msg("Explanation of a stall asked for"),
    "StallEscalated": msg("Stall passed up"),
}
_CONDITIONS: Final[Mapping[tuple[str, str, str | bool], str]] = {
    ("PermitIssued", "collected", True): msg("to be collected"),
    ("PermitIssued", "collected", False): msg("to be downloaded"),
    ("StallEscalated", "to", "supervisor"): msg("to the supervisor"),
    ("StallEscalated", "to", "head"): msg("to the head of the office"),
}
# Texts that no rule names: they answer what somebody wrote.
_ANSWERS: Final[Mapping[str, str]] = {
    "reply-lost": msg("Answer: a machine reads here"),
    "reply-none-open": msg("Answer: nothing waits for an explanation"),
    "reply-preferred": msg("Answer: wish noted"),
    "reply-recorded": msg("Answer: explanation recorded"),
    "reply-refused": msg("Answer: explanation not recorded"),
    "reply-started": msg("Answer: messages started again"),
    "reply-status": msg("Answer: where the application stands"),
    "reply-stopped": msg("Answer: messages stopped"),
    "reply-which": msg("Answer: which file is meant"),
}
_SEVERAL: Final = msg("Several alerts in one message")


def event_words(rule: Rule, tr: Translator) -> str:
    """Return what has to happen for a rule, with its conditions."""
    when = [
        tr.t(_CONDITIONS.get((rule.event, field, value), f"{field}: {str(value).lower()}"))
        for field, value in rule.when.items()
    ]
    what = tr.t(EVENTS.get(rule.event, rule.event))
    return f"{what} ({', '.join(when)})" if when else what


def reason_words(rules: Rules, name: str, tr: Translator) -> str:
    """Return why a message was queued: ``name`` is a rule's, a digest's or an answer's.

    A rule that is not in the file any more goes by the name that it had.
    """
    if rule := rules.all.get(name):
        return event_words(rule, tr)
    if name in rules.digests:
        return tr.t(_SEVERAL)
    return tr.t(_ANSWERS.get(name, name))


def title(rules: Rules, template: str, tr: Translator) -> str:
    """Return what a text is about: what its rules tell of, or else what it answers."""
    own = [rule for rule in rules.all.values() if rule.template == template]
    if own:
        return " / ".join(dict.fromkeys(event_words(rule, tr) for rule in own))
    gathers = any(digest.template == template for digest in rules.digests.values())
    return tr.t(_SEVERAL) if gathers else tr.t(_ANSWERS.get(template, template))
