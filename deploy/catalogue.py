"""Loads the offices' data with every service's own rules, so that all agree on what can be used."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import cast

from pydantic import BaseModel

from shared.identity import Accounts
from shared.offices import Catalogue, Mistake
from shared.telemetry import log

# Named, not imported: through this module every service's __main__ would import the others.
_SECTIONS = {
    "intake": ("services.intake.catalogue", "IntakeSection"),
    "workflow": ("services.workflow.sop", "SopSection"),
    "payment": ("services.payment.tariff", "PaymentSection"),
}


def sections() -> Mapping[str, type[BaseModel]]:
    """Return section of a permit type's file -> the model of the service that reads it."""
    return {
        name: cast(type[BaseModel], getattr(importlib.import_module(module), model))
        for name, (module, model) in _SECTIONS.items()
    }


def load_catalogue(folder: Path, now: Callable[[], datetime]) -> Catalogue:
    """Return the catalogue of a folder; what is wrong in it is logged and stops nothing else.

    A version that any service refuses is refused for all of them: nobody can apply for a permit
    that could then not be opened or billed.
    """
    catalogue = Catalogue.load(folder, now=now, sections=sections())
    _tell(catalogue.refused)
    return catalogue


def load_accounts(folder: Path) -> Accounts:
    """Return the accounts of a folder; a file that is wrong is logged and locks out nobody else."""
    return Accounts.load(folder / "accounts", refused=lambda error: _tell(error.mistakes))


def _tell(refused: Iterable[Mistake]) -> None:
    for mistake in refused:
        log.error(
            "data_file_refused", file=mistake.file, line=mistake.line, reason=mistake.reason()
        )
