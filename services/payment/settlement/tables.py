"""The tables of reconciliation: facts from the events, and the class each fact was put into.

The projection writes the facts and stamps what it touched with the event's position (``dirty``);
the reconciler writes the classes and takes the stamp away if it is still the one it saw. So a fact
that comes meanwhile is never overlooked, and lost tables are rebuilt: every fact is dirty again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

_FILES = """
CREATE TABLE IF NOT EXISTS settlement_files (
    settlement_id TEXT NOT NULL PRIMARY KEY, partner TEXT NOT NULL, sha256 TEXT NOT NULL,
    name TEXT NOT NULL, state TEXT NOT NULL, first_day TEXT NOT NULL, last_day TEXT NOT NULL,
    opening BIGINT NOT NULL, closing BIGINT NOT NULL, lines BIGINT NOT NULL,
    recorded BIGINT NOT NULL, credits BIGINT NOT NULL, debits BIGINT NOT NULL,
    reason TEXT NOT NULL, line BIGINT NOT NULL, actor TEXT NOT NULL, changed_us BIGINT NOT NULL
)
"""
_LINES = """
CREATE TABLE IF NOT EXISTS settlement_lines (
    settlement_id TEXT NOT NULL, line BIGINT NOT NULL, partner TEXT NOT NULL,
    amount BIGINT NOT NULL, value_on TEXT NOT NULL, reference TEXT NOT NULL,
    virtual_account TEXT NOT NULL, reverses TEXT NOT NULL, text TEXT NOT NULL,
    office TEXT NOT NULL, accepted BIGINT NOT NULL, application_id TEXT NOT NULL,
    bill_id TEXT NOT NULL, matched TEXT, suspense_id TEXT NOT NULL, class TEXT NOT NULL,
    why TEXT NOT NULL, money_id TEXT NOT NULL, looked_on TEXT NOT NULL, dirty BIGINT NOT NULL,
    PRIMARY KEY (settlement_id, line)
)
"""
_MONEYS = """
CREATE TABLE IF NOT EXISTS settlement_moneys (
    money_id TEXT NOT NULL PRIMARY KEY, application_id TEXT NOT NULL, bill_id TEXT NOT NULL,
    office TEXT NOT NULL, partner TEXT NOT NULL, request_id TEXT NOT NULL,
    reference TEXT NOT NULL, amount BIGINT NOT NULL, paid_at TEXT NOT NULL,
    paid_on TEXT NOT NULL, pays BIGINT NOT NULL, late BIGINT NOT NULL, billed BIGINT NOT NULL,
    source TEXT NOT NULL, told BIGINT NOT NULL, suspense_id TEXT NOT NULL, reversed BIGINT NOT NULL,
    disputed BIGINT NOT NULL, contradicted BIGINT NOT NULL, settlement_id TEXT NOT NULL,
    line BIGINT NOT NULL, class TEXT NOT NULL, looked_on TEXT NOT NULL, dirty BIGINT NOT NULL
)
"""
_BILLS = """
CREATE TABLE IF NOT EXISTS settlement_bills (
    bill_id TEXT NOT NULL PRIMARY KEY, application_id TEXT NOT NULL, office TEXT NOT NULL,
    virtual_account TEXT NOT NULL, amount BIGINT NOT NULL, due_on TEXT NOT NULL,
    position BIGINT NOT NULL
)
"""
_DAYS = """
CREATE TABLE IF NOT EXISTS settlement_days (
    partner TEXT NOT NULL, day TEXT NOT NULL, changed BIGINT NOT NULL, digest TEXT NOT NULL,
    settled BIGINT NOT NULL, lines BIGINT NOT NULL, classes TEXT NOT NULL,
    proved_us BIGINT NOT NULL, failed TEXT NOT NULL, failing_us BIGINT NOT NULL,
    PRIMARY KEY (partner, day)
)
"""
# Few lines ever are: a table of their own, which a folder of before gets by itself.
_ASIDE = """
CREATE TABLE IF NOT EXISTS settlement_aside (
    settlement_id TEXT NOT NULL, line BIGINT NOT NULL, PRIMARY KEY (settlement_id, line)
)
"""
_EXPLAINED = """
CREATE TABLE IF NOT EXISTS settlement_explained (
    settlement_id TEXT NOT NULL, line BIGINT NOT NULL, PRIMARY KEY (settlement_id, line)
)
"""
STATEMENTS = (
    _FILES,
    _LINES,
    _ASIDE,
    _EXPLAINED,
    _MONEYS,
    _BILLS,
    _DAYS,
    "CREATE INDEX IF NOT EXISTS settlement_files_partner ON settlement_files (partner, changed_us)",
    "CREATE INDEX IF NOT EXISTS settlement_lines_dirty ON settlement_lines (settlement_id, line) "
    "WHERE dirty > 0",
    "CREATE INDEX IF NOT EXISTS settlement_lines_account ON settlement_lines (virtual_account) "
    "WHERE virtual_account <> ''",
    "CREATE INDEX IF NOT EXISTS settlement_lines_reference "
    "ON settlement_lines (reference) WHERE reference <> ''",
    "CREATE INDEX IF NOT EXISTS settlement_lines_reverses "
    "ON settlement_lines (reverses) WHERE reverses <> ''",
    "CREATE INDEX IF NOT EXISTS settlement_lines_application "
    "ON settlement_lines (application_id) WHERE application_id <> ''",
    "CREATE INDEX IF NOT EXISTS settlement_lines_day "
    "ON settlement_lines (partner, value_on, class)",
    # What waits is looked for again and again, and is little of all there is.
    "CREATE INDEX IF NOT EXISTS settlement_lines_waiting "
    "ON settlement_lines (partner, value_on) WHERE class = 'PENDING'",
    "CREATE INDEX IF NOT EXISTS settlement_moneys_waiting "
    "ON settlement_moneys (partner, looked_on) WHERE class = 'AWAITING_SETTLEMENT'",
    "CREATE INDEX IF NOT EXISTS settlement_moneys_dirty ON settlement_moneys (money_id) "
    "WHERE dirty > 0",
    "CREATE INDEX IF NOT EXISTS settlement_moneys_application "
    "ON settlement_moneys (application_id)",
    "CREATE INDEX IF NOT EXISTS settlement_moneys_reference ON settlement_moneys (reference)",
    "CREATE INDEX IF NOT EXISTS settlement_moneys_request ON settlement_moneys (request_id)",
    "CREATE INDEX IF NOT EXISTS settlement_moneys_day "
    "ON settlement_moneys (partner, paid_on, class)",
    "CREATE INDEX IF NOT EXISTS settlement_moneys_line "
    "ON settlement_moneys (settlement_id, line) WHERE settlement_id <> ''",
    "CREATE INDEX IF NOT EXISTS settlement_bills_account ON settlement_bills (virtual_account)",
    "CREATE INDEX IF NOT EXISTS settlement_bills_application ON settlement_bills (application_id)",
    "CREATE INDEX IF NOT EXISTS settlement_days_changed ON settlement_days (partner, day) "
    "WHERE changed > 0",
)
# What the reconciler and the prover write beside the facts: table -> columns, or all of it.
CONCLUSIONS: Final[Mapping[str, Collection[str]]] = {
    "settlement_lines": (
        "office",
        "application_id",
        "class",
        "why",
        "money_id",
        "looked_on",
        "dirty",
    ),
    "settlement_moneys": ("class", "looked_on", "dirty"),
    "settlement_days": (),
}
