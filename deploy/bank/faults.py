"""What can go wrong between a bank and an office, and who decides that it does.

A fault is asked for by name, or drawn by a rate from a seed: the same seed goes wrong in the same
places.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.text import msg


class Fault(StrEnum):
    """What goes wrong with one payment or one day's file. The empty one: nothing."""

    NONE = ""
    # On the wire
    DUPLICATE = "duplicate"
    LATE = "late"
    LOST = "lost"
    TAMPERED = "tampered"
    SIGNATURE = "signature"
    CLOCK = "clock"
    AMOUNT = "amount"
    OUT_OF_ORDER = "out-of-order"
    # Between the bank and its customer
    REVERSAL = "reversal"
    SECOND_PAYMENT = "second-payment"
    UNDERPAID = "underpaid"
    OVERDUE = "overdue"
    NEAR_MIDNIGHT = "near-midnight"
    # In the settlement file
    MISSING_LINE = "missing-line"
    DOUBLED_LINE = "doubled-line"
    OTHER_AMOUNT = "other-amount"
    ORPHAN = "orphan"
    BATCH = "batch"
    HALF_FILE = "half-file"


WORDS = {
    Fault.DUPLICATE: msg("It is told twice"),
    Fault.LATE: msg("It is told late, after the settlement file"),
    Fault.LOST: msg("It is never told"),
    Fault.TAMPERED: msg("The message is changed on its way"),
    Fault.SIGNATURE: msg("A wrong signature"),
    Fault.CLOCK: msg("A clock that is ten minutes slow"),
    Fault.AMOUNT: msg("One rupiah too much"),
    Fault.OUT_OF_ORDER: msg("The retry comes before the first message"),
    Fault.REVERSAL: msg("The bank takes the payment back"),
    Fault.SECOND_PAYMENT: msg("It is paid again through another channel"),
    Fault.UNDERPAID: msg("Less than the bill arrives, and nobody is told"),
    Fault.OVERDUE: msg("It is paid after the due date"),
    Fault.NEAR_MIDNIGHT: msg("It is paid before midnight and posted the day after"),
    Fault.MISSING_LINE: msg("A payment that was told is not in the file"),
    Fault.DOUBLED_LINE: msg("A line is in the file twice"),
    Fault.OTHER_AMOUNT: msg("A line has another amount than was told"),
    Fault.ORPHAN: msg("Money that names no bill"),
    Fault.BATCH: msg("One line for all payments of the day"),
    Fault.HALF_FILE: msg("The file ends in the middle"),
}

# What may happen to one payment of a dialect that signs its calls.
ON_THE_WIRE = (
    Fault.DUPLICATE,
    Fault.OUT_OF_ORDER,
    Fault.LATE,
    Fault.LOST,
    Fault.TAMPERED,
    Fault.SIGNATURE,
    Fault.CLOCK,
    Fault.AMOUNT,
    Fault.NEAR_MIDNIGHT,
    Fault.REVERSAL,
)
IN_THE_FILE = (
    Fault.MISSING_LINE,
    Fault.DOUBLED_LINE,
    Fault.OTHER_AMOUNT,
    Fault.ORPHAN,
    Fault.BATCH,
    Fault.HALF_FILE,
)


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Faults by ``rate`` (0 to 1) from ``seed``."""

    rate: float = 0.0
    seed: int = 0
    among: Sequence[Fault] = ON_THE_WIRE

    def of(self, payment: str) -> Fault:
        """Return what goes wrong with one payment: always the same for the same id."""
        drawn = random.Random(f"{self.seed}:{payment}")
        return drawn.choice(self.among) if drawn.random() < self.rate else Fault.NONE
