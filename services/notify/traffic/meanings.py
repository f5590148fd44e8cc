"""What a provider's code means, in words for people who can do something about it."""

from __future__ import annotations

from typing import Final

from services.notify.channels import Effect, Failed, Later, Result, twilio, whatsapp
from shared.web.i18n import msg

_ACCOUNT: Final = msg("The account is in trouble: look at the provider's console.")
_LIMIT: Final = msg("The provider asked us to send more slowly.")
_NOBODY: Final = msg("The provider does not answer.")
_NUMBER: Final = msg("The number can't receive messages: ask the person for another one.")
_WORDS: Final = {
    "unreachable": _NOBODY,
    "smtp-broken": _NOBODY,
    "forbidden-host": msg("The address leads where this installation may not call."),
    "kannel-account": msg("The gateway refuses our name or password."),
    "kannel-busy": _LIMIT,
    "smtp-account": msg("The mail server refuses our name or password."),
    "smtp-tls": msg("The mail server offers no safe connection."),
    "190": msg("The access token is no longer valid."),
    "131042": msg("A payment to the provider is open."),
    "131026": msg("The number has no WhatsApp."),
    "132000": msg("The template has another number of parameters with the provider."),
    "132001": msg("The provider does not know the template in this language."),
    "132007": msg("The template breaks a rule of the provider."),
    "132015": msg("The provider paused the template because people complained."),
    "132016": msg("The provider switched the template off for good."),
    "opted-out": msg("The person wants no messages."),
    "no-outcome": msg("The provider never said what became of it."),
}
_EFFECTS: Final = {
    Effect.PAUSE: _ACCOUNT,
    Effect.SLOW: _LIMIT,
    Effect.REST: msg("This person was sent too many messages in a short time."),
    Effect.TEMPLATE_OFF: msg("The provider stopped the template."),
    Effect.OUR_BUG: msg("The provider refuses how the template is filled in."),
    Effect.NOT_TODAY: msg("The provider delivers no more to this person today."),
    Effect.OPT_OUT: msg("The person wants no messages."),
    Effect.BAD_NUMBER: _NUMBER,
}


def meaning(channel: str, reason: str) -> str:
    """Return what ``reason`` means as a msgid; empty when its code says it all."""
    if reason in _WORDS:
        return _WORDS[reason]
    if reason.endswith("-account"):
        return _ACCOUNT
    if not reason.isdigit():
        return _NOBODY if reason.endswith("Timeout") or reason.startswith("http-5") else ""
    refusal = twilio.refusal if channel == "twilio" else whatsapp.refusal
    result: Result = refusal(int(reason))
    effect = result.effect if isinstance(result, Failed | Later) else Effect.NONE
    return _EFFECTS.get(effect, "")
