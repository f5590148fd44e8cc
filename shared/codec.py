"""Event <-> (type, schema version, JSON). Nothing else in Jejak serialises an event."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from pydantic import TypeAdapter

from shared.contracts import BY_CLASS, BY_NAME, EventType
from shared.contracts.upcasters import upcast
from shared.decider import Command
from shared.errors import UndecodableEvent
from shared.events import AnyFact, Fact, NewEvent, Recorded, from_micros, to_micros
from shared.ids import event_id
from shared.privacy import Guard, Path, Unguarded, personal_paths


class Codec:
    """Encodes and decodes with one prepared pydantic ``TypeAdapter`` per event type.

    A real ``guard`` costs a pass over the personal fields of events that have some; ``Unguarded``
    costs nothing, because then no event is rewritten.
    """

    def __init__(self, guard: Guard | None = None) -> None:
        """Prepare the adapters of every published event."""
        self._guard = guard or Unguarded()
        self._guards = not isinstance(self._guard, Unguarded)
        self._adapters: dict[str, TypeAdapter[Any]] = {
            kind.name: TypeAdapter(kind.cls) for kind in BY_NAME.values()
        }
        # The serializers themselves: what the adapters' own method adds costs more than they do.
        self._dump: dict[str, Callable[[object], bytes]] = {
            name: adapter.serializer.to_json for name, adapter in self._adapters.items()
        }
        self._personal: dict[str, tuple[Path, ...]] = {
            kind.name: personal_paths(kind.cls) for kind in BY_NAME.values()
        }

    @property
    def guards(self) -> bool:
        """Whether personal values are changed on their way to the store."""
        return self._guards

    def encode(
        self, events: Iterable[object], stream: str, command: Command, cause: str, application: str
    ) -> list[NewEvent]:
        """Return the envelopes of decided ``events``, with ids derived from their cause."""
        occurred, actor = to_micros(command.now), str(command.by)
        return [
            self.envelope(
                event, event_id(cause, stream, index), occurred, actor, cause, application
            )
            for index, event in enumerate(events)
        ]

    def envelope(
        self,
        event: object,
        event_id: str,
        occurred_us: int,
        actor: str,
        cause: str,
        application: str,
    ) -> NewEvent:
        """Return one event in its envelope; ``application`` is the correlation id."""
        kind = BY_CLASS[type(event)]
        data = self._dump[kind.name](event)
        if self._guards and self._personal[kind.name]:
            tree = json.loads(data)
            self._change(tree, kind.name, application, event_id, self._guard.seal)
            data = json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode()
        return NewEvent(
            event_id, kind.name, kind.version, data, occurred_us, actor, cause, application
        )

    def decode(self, recorded: Recorded) -> Any:
        """Return the event object, upcast to its current version.

        Raises UndecodableEvent for an unknown type, a version from the future or broken data.
        """
        kind = BY_NAME.get(recorded.type)
        if kind is None or recorded.schema_version > kind.version:
            raise UndecodableEvent(type=recorded.type, version=recorded.schema_version)
        guarded = self._guards and bool(self._personal[kind.name])
        try:
            if recorded.schema_version == kind.version and not guarded:
                return self._adapters[kind.name].validate_json(recorded.data)
            return self._adapters[kind.name].validate_python(self._tree(recorded, kind, guarded))
        except (ValueError, KeyError, TypeError):
            # The cause is cut off: its text repeats the data, which may be personal.
            raise UndecodableEvent(type=recorded.type, version=recorded.schema_version) from None

    def _tree(self, recorded: Recorded, kind: EventType, guarded: bool) -> Any:
        """Return the stored object at its current version, with its personal values opened.

        Upcast first: the paths of personal fields are those of the current version.
        """
        tree = json.loads(recorded.data)
        tree = upcast(kind.name, recorded.schema_version, kind.version, tree)
        if guarded:
            self._change(
                tree, kind.name, recorded.correlation_id, recorded.event_id, self._guard.open
            )
        return tree

    def fact(self, recorded: Recorded) -> AnyFact:
        """Return the decoded event with when it happened and who did it."""
        return Fact(self.decode(recorded), from_micros(recorded.occurred_us), recorded.actor)

    def json_schema(self, name: str) -> dict[str, Any]:
        """Return the JSON Schema of an event's current version."""
        return self._adapters[name].json_schema(ref_template="#/components/schemas/{model}")

    def _change(
        self, tree: Any, name: str, subject: str, event_id: str, change: Callable[..., str]
    ) -> None:
        """Change every personal value in ``tree`` in place."""
        for path in self._personal[name]:
            given = {"subject": subject, "event_id": event_id, "field": ".".join(path)}
            _at(tree, path, partial(change, **given))


def _at(node: Any, path: Path, change: Callable[[str], str]) -> None:
    """Replace the strings at ``path`` below ``node``; an older version may lack some."""
    head, rest = path[0], path[1:]
    keys: Iterable[Any] = [head] if head in node else []
    if head == "*":
        keys = range(len(node)) if isinstance(node, list) else list(node)
    for key in keys:
        if rest:
            _at(node[key], rest, change)
        elif isinstance(node[key], str):
            node[key] = change(node[key])
        else:
            raise TypeError(f"{head} is not a text")
