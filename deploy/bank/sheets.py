"""The integration sheets of the banks that are played: the files in ``banks/``, as plain data.

A sheet is what two parties agree on before they connect. The office reads the same files with
code of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from shared.errors import NotFound

SNAP, LEGACY, QRIS, TELLER = "snap", "va-legacy", "qris-legacy", "teller"


class UnknownPartner(NotFound):
    """There is no sheet of this name, or it does not say what is needed."""

    code = "unknown-partner"
    text = "No bank of this name is played here."


@dataclass(frozen=True)
class Sheet:
    """One partner's sheet."""

    id: str
    dialect: str
    name: Mapping[str, str]
    data: Mapping[str, Any]

    @property
    def zone(self) -> ZoneInfo:
        """The partner's time zone."""
        return ZoneInfo(self.data.get("zone", "Asia/Jakarta"))

    @property
    def prefix(self) -> str:
        """What the partner's virtual accounts begin with; empty where it gives none."""
        return str(self.data.get("prefix", ""))

    @property
    def calls(self) -> Mapping[str, Any]:
        """How the office calls this bank; empty where it does not."""
        found: Mapping[str, Any] = self.data.get("calls") or {}
        return found

    @property
    def shared_secret(self) -> str:
        """The name of the secret that both hold."""
        secrets = self.data.get("secrets")
        return str(secrets[0] if secrets else self.calls["secret"])

    @property
    def statement(self) -> Mapping[str, Any]:
        """How its settlement files are written. Raises UnknownPartner when it has none."""
        settlement = self.data.get("settlement")
        if settlement is None:
            raise UnknownPartner
        found: Mapping[str, Any] = settlement["file"]
        return found

    @property
    def settles(self) -> bool:
        """Say whether it writes settlement files."""
        return "settlement" in self.data


class Sheets:
    """All sheets, by partner."""

    def __init__(self, folder: Path) -> None:
        """``folder`` holds one file per partner."""
        read = (yaml.safe_load(file.read_text("utf-8")) for file in sorted(folder.glob("*.yaml")))
        self.all = tuple(Sheet(one["id"], one["dialect"], one["name"], one) for one in read)

    def of(self, partner: str) -> Sheet:
        """Return a partner's sheet. Raises UnknownPartner."""
        for sheet in self.all:
            if sheet.id == partner:
                return sheet
        raise UnknownPartner

    def speaking(self, dialect: str) -> Sheet:
        """Return the first partner of a dialect. Raises UnknownPartner."""
        for sheet in self.all:
            if sheet.dialect == dialect:
                return sheet
        raise UnknownPartner
