"""Public events: one module per publishing service. They are published, so never edited.

A new version of an event gets a stepwise upcaster in ``upcasters`` and a golden file under
``tests/golden``; a change that can't be converted is a new event.
"""

from shared.contracts import intake, notify, payment, workflow
from shared.contracts.registry import BY_CLASS, BY_NAME, EventType, event

__all__ = ["BY_CLASS", "BY_NAME", "EventType", "event", "intake", "notify", "payment", "workflow"]
