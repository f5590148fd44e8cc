"""A peer: the same five transitions with the PyPI library ``eventsourcing`` over SQLite."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from services.intake.commands import CorrectApplication, SubmitApplication
from tests.bench.permits import command


class Permit(Aggregate):
    """An application; its events carry what ours carry."""

    @event("Submitted")
    def __init__(self, submission: dict[str, Any]) -> None:
        self.submission = submission
        self.state = "submitted"

    @event("Returned")
    def give_back(self, shortcomings: list[dict[str, Any]], note: str) -> None:
        """Ask for what is missing."""
        self.state, self.shortcomings = "returned", shortcomings

    @event("Corrected")
    def correct(self, answers: dict[str, str], documents: list[dict[str, Any]]) -> None:
        """Take the correction."""
        self.state, self.answers, self.documents = "submitted", answers, documents

    @event("Registered")
    def register(self, number: str, office: str, permit_type: str, permit_version: int) -> None:
        """Start the clock."""
        self.state, self.number = "registered", number

    @event("Withdrawn")
    def withdraw(self, reason: str) -> None:
        """End it."""
        self.state = "withdrawn"


def permits_application(folder: Path, acknowledged: Callable[[], None]) -> Callable[[], None]:
    """Return one client's work: permits for ever, each transition recalled, decided and saved."""
    # At its best: like our handler it remembers aggregates, and finds out at the append when one
    # is out of date.
    app: Application[UUID] = Application(
        {
            "PERSISTENCE_MODULE": "eventsourcing.sqlite",
            "SQLITE_DBNAME": str(folder / "peer.sqlite"),
            "SQLITE_LOCK_TIMEOUT": "30",
            "AGGREGATE_CACHE_MAXSIZE": "4096",
            "AGGREGATE_CACHE_FASTFORWARD": "n",
        }
    )
    submission, steps = _submission(), _steps()

    def work() -> None:
        while True:
            permit = Permit(submission)
            app.save(permit)
            acknowledged()
            for step in steps:
                loaded: Permit = app.repository.get(permit.id)
                step(loaded)
                app.save(loaded)
                acknowledged()

    return work


def _submission() -> dict[str, Any]:
    submit = command(0, "app", "BGR-2026-000001")
    assert isinstance(submit, SubmitApplication)
    return {
        "number": submit.number,
        "office": submit.office,
        "permit_type": submit.permit_type,
        "permit_version": 1,
        "channel": submit.channel,
        "applicant": dataclasses.asdict(submit.applicant),
        "answers": dict(submit.answers),
        "documents": [dataclasses.asdict(one) for one in submit.documents],
        "code_hash": submit.code_hash,
    }


def _steps() -> list[Callable[[Permit], None]]:
    correct = command(2, "app", "")
    assert isinstance(correct, CorrectApplication)
    documents = [dataclasses.asdict(one) for one in correct.documents]
    return [
        lambda p: p.give_back([{"requirement": "ktp", "reason": "Foto buram."}], ""),
        lambda p: p.correct(dict(correct.answers), documents),
        lambda p: p.register("BGR-2026-000001", "bogor", "situ", 1),
        lambda p: p.withdraw("Batal."),
    ]
