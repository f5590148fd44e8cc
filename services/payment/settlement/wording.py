"""What people read about classes and codes: msgids, by the code."""

from __future__ import annotations

from services.payment.settlement.facts import Class
from shared.web.i18n import msg

CLASSES = {
    Class.MATCHED: msg("Matched"),
    Class.SETTLED_NO_CALLBACK: msg("Settled without a callback"),
    Class.CALLBACK_NO_SETTLEMENT: msg("Callback without settlement"),
    Class.ORPHAN_CREDIT: msg("Money without a bill"),
    Class.AMOUNT_DIFF: msg("Another amount"),
    Class.DUPLICATE: msg("Paid twice"),
    Class.LATE: msg("Paid too late"),
    Class.REVERSED: msg("Taken back"),
    Class.EXPLAINED: msg("Explained by a person"),
    Class.PENDING: msg("Waiting"),
    Class.AWAITING_SETTLEMENT: msg("Waiting for settlement"),
}
WHY = {
    "ambiguous": msg("It could belong to several payments. Say to which."),
    "told-twice": msg("Another line has the same receipt number, perhaps in another file."),
    "no-original": msg(
        "It takes back something that is in no file and no bill. Say which payment it takes back, "
        "or what it is."
    ),
    "other-amount": msg("It takes back another amount than was paid."),
    "too-early": msg("A payment may still be reported that it belongs to."),
    "match-not-found": msg("The payment that was named for it is not known."),
    "being-recorded": msg("It is being recorded."),
    "reported-otherwise": msg("The bank reported another amount before."),
}
FAILED = {
    "lines-missing": msg("Lines of an accepted file are missing in the tables."),
    "books-differ": msg("The lines do not add up to what the bills say was settled."),
    "orphan-not-held": msg("Money without a bill is not in suspense."),
    "unplaced": msg("Some lines have no class."),
    "settlement-sums-disagree": msg("What arrived is not the sum of its classes."),
}
