"""How a partner's settlement files are written: the ``settlement`` section of its profile."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from shared.offices import FileModel, Identifier


def _encoding(name: str) -> str:
    try:
        plain = "\r\n;A1".encode(name)
    except (LookupError, UnicodeError) as error:
        raise ValueError(f"{name!r} is no text encoding such as utf-8") from error
    if plain != b"\r\n;A1":
        # Rows are told apart before they are decoded.
        raise ValueError(f"{name!r} does not write line ends as ASCII does")
    return name


def _pattern(text: str) -> str:
    try:
        groups = re.compile(text).groups
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from error
    if groups != 1:
        raise ValueError(f"{text!r} must have exactly one group: what is found")
    return text


Encoding = Annotated[str, AfterValidator(_encoding)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Label = Annotated[str, Field(min_length=1, max_length=60)]


class AmountStyle(FileModel):
    """How amounts are written: ``Rp 1.250.000,00`` has prefix ``Rp``, grouping and a comma.

    ``grouping`` is optional in the text but, where it is written, must be in every place.
    """

    decimal: Literal[",", "."] = "."
    grouping: Literal["", ",", "."] = ""
    prefix: str = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.decimal == self.grouping:
            raise ValueError("decimal and grouping can't be the same sign")
        return self


class Balance(FileModel):
    """A row that states a balance: ``label`` in the first cell, the amount in column ``amount``."""

    label: Label
    amount: Label


class Totals(FileModel):
    """The row that states the file's sums: how many lines, and the sum of their amounts."""

    label: Label
    count: Label
    amount: Label


class Columns(FileModel):
    """The heading of each column. An empty one is not in the file."""

    date: Label
    amount: Label
    reference: str = ""
    virtual_account: str = ""
    mark: str = ""
    reverses: str = ""
    text: str = ""


class CsvLayout(FileModel):
    """A CSV file. The first row is the heading; control rows are told by their first cell.

    Without a ``mark`` column an amount carries its own sign. At least one of ``totals`` or both
    balances must be there: a file that states no sums can't be checked.
    """

    kind: Literal["csv"]
    encoding: Encoding = "utf-8"
    delimiter: Annotated[str, Field(pattern=r"^[,;|\t]$")] = ","
    columns: Columns
    date: str
    amount: AmountStyle = AmountStyle()
    credit: tuple[str, ...] = ("C",)
    debit: tuple[str, ...] = ("D",)
    opening: Balance | None = None
    closing: Balance | None = None
    totals: Totals | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.opening is None) != (self.closing is None):
            raise ValueError("opening and closing go together")
        if self.opening is None and self.totals is None:
            raise ValueError("a file without balances needs totals")
        if set(self.credit) & set(self.debit):
            raise ValueError("one mark can't mean both credit and debit")
        return self


class Mt940Layout(FileModel):
    """An MT940 statement.

    ``reference`` says which of ``:61:``'s references is the receipt number; ``virtual_account``
    and ``reverses`` are regular expressions for the narrative in ``:86:``.
    """

    kind: Literal["mt940"]
    encoding: Encoding = "ascii"
    reference: Literal["customer", "bank"] = "customer"
    virtual_account: Pattern | None = None
    reverses: Pattern | None = None


class SettlementLayout(FileModel):
    """What is known of a partner's settlement.

    ``office`` holds the account: money that names no bill of ours is its. ``references`` says
    whether a line carries the receipt number that the partner's callback told (``shared``) or one
    of the file's own (``own``). A payment that no line has settled ``grace_days`` working days
    after it was made is disputed.
    """

    office: Identifier
    file: Annotated[CsvLayout | Mt940Layout, Field(discriminator="kind")]
    references: Literal["shared", "own"] = "shared"
    grace_days: Annotated[int, Field(ge=1, le=10)] = 2
