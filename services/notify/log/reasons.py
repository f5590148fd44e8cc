"""Why a message did not arrive, in words, and what a person can do about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from services.notify.message import NO_OUTCOME
from services.notify.people.contact import OPTED_OUT
from services.notify.people.recipients import BAD_NUMBER
from shared.web.i18n import msg


class Reason(NamedTuple):
    """``why`` and ``todo`` are msgids; ``again``: sending it again may help.

    ``number``: another number may help.
    """

    why: str
    todo: str
    again: bool = True
    number: bool = False


_NUMBER = Reason(
    msg("The number can't be used: it is not a whole mobile number."),
    msg("Ask the applicant, or the office's administrator, for the right number."),
    again=False,
    number=True,
)
_UNREACHABLE = Reason(
    msg("The number can't be reached this way."),
    msg("Call the person, or ask for another number."),
    number=True,
)
_OPTED_OUT = Reason(
    msg("This person wants no messages."),
    msg("Tell them at the counter. They can start messages again themselves."),
    again=False,
)
_UNKNOWN = Reason(
    msg("Nobody knows whether it arrived: no answer came from the provider."),
    msg("Ask the person. Sent again, it may arrive twice."),
)
_LATER = Reason(
    msg("The provider did not take it for too long."),
    msg("Look at the channels, then send it again."),
)
_TEMPLATE = Reason(
    msg("The wording is not approved by the provider, or is no longer on file."),
    msg("Tell the administrator. Send it again once the wording is in order."),
)
_CHANNEL = Reason(
    msg("The channel is closed for this office."),
    msg("Tell the administrator: access or payment at the provider has to be put in order."),
)
_OTHER = Reason(
    msg("The provider refused it with its own code."),
    msg("Tell the administrator the code, or send it again."),
)

_BY_REASON: Final = (
    (_NUMBER, (BAD_NUMBER, "21211", "21614")),
    (_UNREACHABLE, ("131026", "130472", "131049", "30003", "30005", "30006", "dlr-2", "dlr-16")),
    (_OPTED_OUT, (OPTED_OUT, "131050", "21610")),
    (_UNKNOWN, (NO_OUTCOME, "unknown")),
    (_LATER, ("130429", "4", "80007", "2", "131016", "131056", "20429", "unreachable")),
    (_TEMPLATE, ("template", "132000", "132001", "132005", "132007", "132008", "132012")),
    (_TEMPLATE, ("132015", "132016", "131047", "100", "131008", "131009")),
    (_CHANNEL, ("channel-not-set-up", "0", "10", "190", "368", "131031", "131042", "131048")),
)


def _table() -> Iterator[tuple[str, Reason]]:
    for reason, codes in _BY_REASON:
        for code in codes:
            yield code, reason


REASONS: Final[Mapping[str, Reason]] = dict(_table())


def reason_of(code: str) -> Reason:
    """Return what a code of a provider's or of ours means to people."""
    if code.isdigit() and 200 <= int(code) <= 299:
        return _CHANNEL
    return REASONS.get(code, _OTHER)
