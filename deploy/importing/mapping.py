"""The mapping: how one foreign log's words become ours. A YAML file, checked when it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from shared.errors import BadConfiguration
from shared.offices import Catalogue, FileModel, Identifier, Office, load_yaml

# The kind of every stage that only a log knows; workflow neither starts nor times such stages.
FOREIGN = "foreign"

Key = Annotated[str, Field(min_length=1, max_length=200)]
"""The key of an XES attribute, or a word of the log."""


class Moment(FileModel):
    """Where an instant stands in the log: exactly one of the three.

    ``attribute`` is a trace attribute; ``activity`` the first event of that name; ``event`` the
    first or the last event of the case.
    """

    attribute: Key | None = None
    activity: Key | None = None
    event: Literal["first", "last"] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Moment:
        if sum(way is not None for way in (self.attribute, self.activity, self.event)) != 1:
            raise ValueError("name exactly one of: attribute, activity, event")
        return self


class Number(FileModel):
    """A registration number: ``prefix`` and then the case's name without a leading ``strip``."""

    prefix: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{1,9}-$")]
    strip: str = ""


class TraceKeys(FileModel):
    """Which attributes of a trace we read. ``answers`` maps our form fields to attributes."""

    case: Key = "concept:name"
    channel: Key | None = None
    responsible: Key | None = None
    planned_end: Key | None = None
    answers: dict[Identifier, Key] = Field(default_factory=dict)


class EventKeys(FileModel):
    """Which attributes of an event we read. ``group`` becomes the note of a finished stage."""

    activity: Key = "concept:name"
    time: Key = "time:timestamp"
    resource: Key = "org:resource"
    transition: Key = "lifecycle:transition"
    group: Key | None = None


class Mapping(FileModel):
    """One log's mapping.

    ``submitted``, ``registered`` and ``closed`` say when the application came in, when it was
    complete (the legal clock starts) and when its file ended. ``channels`` and ``activities`` map
    the log's words to our channels and to stages of the permit type; ``empty`` are words that
    stand for no value; ``ignored`` are attributes left out on purpose, so they are not reported.
    """

    permit_type: Identifier
    permit_version: Annotated[int, Field(ge=1)] = 1
    number: Number
    submitted: Moment
    registered: Moment
    closed: Moment | None = None
    trace: TraceKeys = TraceKeys()
    event: EventKeys = EventKeys()
    channels: dict[Key, Identifier] = Field(default_factory=dict)
    activities: dict[Key, Identifier]
    empty: tuple[str, ...] = ()
    ignored: tuple[Key, ...] = ()

    @property
    def moments(self) -> tuple[Moment, ...]:
        """All instants that are named."""
        given = (self.submitted, self.registered, self.closed)
        return tuple(moment for moment in given if moment is not None)

    @property
    def trace_attributes(self) -> frozenset[str]:
        """Every trace attribute that is read or left out on purpose."""
        keys = self.trace
        read = (keys.case, keys.channel, keys.responsible, keys.planned_end)
        moments = (moment.attribute for moment in self.moments)
        named = {key for key in (*read, *moments) if key is not None}
        return frozenset({*named, *keys.answers.values(), *self.ignored})

    @property
    def event_attributes(self) -> frozenset[str]:
        """Every event attribute that is read or left out on purpose."""
        keys = self.event
        read = {keys.activity, keys.time, keys.resource, keys.transition}
        return frozenset(read | set(self.ignored) | ({keys.group} if keys.group else set()))

    @property
    def moment_activities(self) -> frozenset[str]:
        """Activities that mark an instant; they need no stage to be covered."""
        return frozenset(moment.activity for moment in self.moments if moment.activity)


def load_mapping(file: Path, office: Office, catalogue: Catalogue) -> Mapping:
    """Return the mapping in ``file``, checked against the office and the permit type it names.

    Raises BadConfiguration naming the file and what does not fit.
    """
    mapping = load_yaml(file, Mapping)
    kind = catalogue.types.get((mapping.permit_type, mapping.permit_version))
    if kind is None or mapping.permit_type not in office.permit_types:
        reason = (
            f"office {office.id!r} has no permit type {mapping.permit_type!r} "
            f"version {mapping.permit_version}"
        )
        raise BadConfiguration(file=str(file), reason=reason)
    stages = kind.workflow.get("stages", ())
    if any(stage.get("kind") != FOREIGN for stage in stages):
        # Its permits would wait for officers of ours to do what others did long ago.
        reason = f"{mapping.permit_type} is worked on here; a log needs a type of foreign stages"
        raise BadConfiguration(file=str(file), reason=reason)
    missing = sorted(set(mapping.activities.values()) - {str(stage.get("id")) for stage in stages})
    if missing:
        reason = f"activities: {mapping.permit_type} has no stage {', '.join(missing)}"
        raise BadConfiguration(file=str(file), reason=reason)
    return mapping
