"""What a person named at the terminal, and what there is instead of what is not there.

::

    NotFound
    ├── UnknownOffice        no office has that id
    ├── UnknownPermitType    the office gives no such permit
    ├── UnknownVersion       neither a file, a folder nor a version
    └── UnknownNumber        no application or permit has that number
"""

from __future__ import annotations

from typing import ClassVar

from shared.errors import NotFound
from shared.offices import Catalogue, Office


class UnknownOffice(NotFound):
    """No office has that id."""

    code: ClassVar[str] = "unknown-office"
    text: ClassVar[str] = "There is no such office. There are: {known}."


class UnknownPermitType(NotFound):
    """The office gives no such permit."""

    code: ClassVar[str] = "unknown-permit-type"
    text: ClassVar[str] = "This office gives no such permit. It gives: {known}."


class UnknownVersion(NotFound):
    """Neither a file, a folder nor a version."""

    code: ClassVar[str] = "unknown-version"
    text: ClassVar[str] = (
        "This is no file, no folder and no version. A version is written as reklame@2; "
        "jejak offices show lists them."
    )


class UnknownNumber(NotFound):
    """No application or permit has that number."""

    text: ClassVar[str] = (
        "This number is not known here. Compare it with the receipt, where it is written like "
        "BGR-2026-000001, and check with --data that this is the folder of the right office."
    )


def asked_office(catalogue: Catalogue, office: str) -> Office:
    """Return an office as it is in force. Raises UnknownOffice."""
    found = catalogue.offices.get(office)
    if found is None:
        raise UnknownOffice(known=", ".join(sorted(catalogue.offices)) or "-")
    return found


def asked_type(office: Office, permit_type: str) -> None:
    """Raise UnknownPermitType for a permit type that an office does not give."""
    if permit_type not in office.permit_types:
        known = ", ".join(sorted(office.permit_types)) or "-"
        raise UnknownPermitType(known=known)
