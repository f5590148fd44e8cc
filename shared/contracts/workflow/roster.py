"""Who is away, and who stands in: facts about an office, not about a permit.

Stream: ``roster-{office}``. Days are ISO 8601 dates in the office's own zone, both included.
"""

from __future__ import annotations

from shared.contracts.registry import event


@event("AbsenceRecorded")
class AbsenceRecorded:
    """An officer is away from ``first`` to ``last``; ``deputy`` works in their place."""

    office: str
    absence_id: str
    account: str
    deputy: str
    first: str
    last: str
    reason: str = ""


@event("AbsenceCancelled")
class AbsenceCancelled:
    """The officer is there after all, or came back earlier."""

    office: str
    absence_id: str
