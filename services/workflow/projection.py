"""Fills the read model ``permits``: one row per application, one upsert per row and batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from services.workflow.rows import COLUMNS, Row, RowFold, row_values
from services.workflow.sop import Sops
from services.workflow.takers import WANTED
from shared.calendar import Calendars
from shared.codec import Codec
from shared.contracts import BY_CLASS
from shared.database import Transaction
from shared.events import Recorded
from shared.topics import INTAKE, PAYMENT, WORKFLOW

_KINDS: Final = {"str": "TEXT NOT NULL", "int": "BIGINT NOT NULL", "int | None": "BIGINT"}
_KEY: Final = "application_id"
_COLUMNS: Final = ", ".join(
    f"{field.name} {_KINDS[str(field.type)]}" for field in Row.__dataclass_fields__.values()
)
_INDEXES: Final = (
    "CREATE INDEX IF NOT EXISTS permits_number ON permits (number)",
    "CREATE INDEX IF NOT EXISTS permits_permit_number ON permits (permit_number)",
    "CREATE INDEX IF NOT EXISTS permits_decree ON permits (decree) WHERE decree <> ''",
    # The sweep's one probe, whatever the number of open files.
    "CREATE INDEX IF NOT EXISTS permits_timer ON permits (timer_us, application_id) "
    "WHERE timer_us IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS permits_work ON permits (procedure_office, due_us) "
    "WHERE working = 1",
    # A board counts everything in one walk, in the order of its groups, without touching a row.
    "CREATE INDEX IF NOT EXISTS permits_board ON permits (procedure_office, procedure_type, "
    "procedure_version, stage, role, assignee, returned, awaits_payment, due_us, warn_us, "
    "stage_us) WHERE working = 1",
)
UPSERT: Final = (
    f"INSERT INTO permits ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))}) "
    f"ON CONFLICT ({_KEY}) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS if name != _KEY)
)
# Well below the number of parameters that SQLite and PostgreSQL take.
_CHUNK: Final = 1000


class PermitsProjection:
    """Folds ``jejak.intake``, ``jejak.workflow`` and ``jejak.payment`` into ``permits``."""

    name = "permits"
    topics = (INTAKE.name, WORKFLOW.name, PAYMENT.name)

    def __init__(self, codec: Codec, sops: Sops, calendars: Calendars) -> None:
        """Procedures and calendars give the due instants."""
        self._codec = codec
        self._sops = sops
        self._calendars = calendars
        self._wanted = {BY_CLASS[cls].name for cls in WANTED}

    @property
    def shape(self) -> str:
        """The columns and indexes: a table that lacks one is filled anew from the events."""
        return "; ".join((_COLUMNS, *_INDEXES))

    def drop(self, tx: Transaction) -> None:
        """Drop the table of another version."""
        tx.execute("DROP TABLE IF EXISTS permits")

    def create(self, tx: Transaction) -> None:
        """Create the table and its indexes if they are missing."""
        tx.execute(f"CREATE TABLE IF NOT EXISTS permits ({_COLUMNS}, PRIMARY KEY ({_KEY}))")
        for statement in _INDEXES:
            tx.execute(statement)

    def apply(self, tx: Transaction, events: Sequence[Recorded]) -> None:
        """Fold ``events`` into their rows. Raises UndecodableEvent."""
        batch: dict[str, list[Recorded]] = {}
        for recorded in events:
            if recorded.type in self._wanted:
                batch.setdefault(recorded.correlation_id, []).append(recorded)
        rows = load_rows(tx, list(batch))
        done = []
        for application_id, taken in batch.items():
            fold = RowFold(rows.get(application_id) or Row(application_id))
            for recorded in taken:
                fold.take(self._codec.decode(recorded), recorded)
            done.append(row_values(fold.finish(self._sops, self._calendars)))
        if done:
            tx.executemany(UPSERT, done)


def load_rows(tx: Transaction, ids: Sequence[str]) -> dict[str, Row]:
    """Return the rows of some applications by id."""
    found: dict[str, Row] = {}
    for chunk in _chunks(ids):
        marks = ",".join("?" * len(chunk))
        sql = f"SELECT {', '.join(COLUMNS)} FROM permits WHERE {_KEY} IN ({marks})"
        for values in tx.execute(sql, chunk):
            found[values[0]] = Row(*values)
    return found


def _chunks(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))
