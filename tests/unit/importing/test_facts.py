"""From one trace to the facts of one permit: what is recorded, when, by whom, and what is not."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from deploy.importing import report as notes
from deploy.importing.cases import CaseReader
from deploy.importing.facts import FactWriter, PermitFacts
from deploy.importing.mapping import Mapping
from deploy.importing.report import ImportReport
from deploy.importing.xes import Trace
from shared.codec import Codec
from shared.contracts.intake import ApplicationRegistered, ApplicationSubmitted
from shared.contracts.workflow import PermitClosed, PermitOpened, StageCompleted
from shared.events import NewEvent, Recorded, from_micros
from tests.unit.importing.kit import CHECK, NOW, OFFICE, RECEIPT, Event, event, mapping

CODEC = Codec()
START = "2011-10-06T01:06:40.020+02:00"
PLANNED = "2011-12-01T01:06:40.010+01:00"
ATTRIBUTES = {
    "concept:name": "case-9997",
    "startdate": START,
    "enddate_planned": PLANNED,
    "channel": "Internet",
    "responsible": "Resource06",
    "department": "General",
}


def read(
    *events: Event, rules: Mapping | None = None, without: str = "", **attributes: str
) -> tuple[PermitFacts | None, ImportReport]:
    report = ImportReport()
    rules = rules or mapping()
    given = {key: value for key, value in (ATTRIBUTES | attributes).items() if key != without}
    case = CaseReader(rules, OFFICE, NOW, report).read(Trace(1, given, list(events)))
    if case is None:
        return None, report
    return FactWriter(rules, OFFICE, CODEC, report).facts(case), report


def facts(*events: Event, rules: Mapping | None = None, **attributes: str) -> PermitFacts:
    found, _ = read(*events, rules=rules, **attributes)
    assert found is not None
    return found


def decoded(new: NewEvent) -> object:
    new_id, kind, schema, data, occurred, *who = new
    return CODEC.decode(Recorded(1, "s", 1, new_id, kind, schema, data, occurred, occurred, *who))


def types(events: list[NewEvent]) -> list[str]:
    return [new.type for new in events]


STEPS = (
    event(RECEIPT, "2011-10-18T09:03:12.303+02:00", "Resource07", **{"org:group": "EMPTY"}),
    event(CHECK, "2011-10-18T09:04:48.732+02:00", "Resource06", **{"org:group": "Group 4"}),
)
END = "2011-10-20T14:19:44.448+02:00"


def test_a_case_becomes_an_application_and_a_permit() -> None:
    found = facts(*STEPS, enddate=END)
    own: dict[str, Any] = {
        "application_id": found.application_id,
        "number": "RCP-9997",
        "office": "receipt",
        "permit_type": "wabo-receipt",
        "permit_version": 1,
    }
    submitted, registered = map(decoded, found.application)
    assert isinstance(submitted, ApplicationSubmitted)
    assert {name: getattr(submitted, name) for name in own} == own
    assert (submitted.channel, submitted.answers) == ("online", {"department": "General"})
    assert (submitted.applicant.name, submitted.documents, submitted.code_hash) == ("", (), "")
    own["planned_end"] = PLANNED.replace(".010", ".010000")
    assert registered == ApplicationRegistered(**own)
    permit = found.application_id
    assert list(map(decoded, found.permit)) == [
        PermitOpened(**own),
        StageCompleted(application_id=permit, stage="receipt"),
        StageCompleted(application_id=permit, stage="t02-check-receipt", note="Group 4"),
        PermitClosed(application_id=permit),
    ]


def test_facts_carry_the_logs_own_times_and_people() -> None:
    found = facts(*STEPS, enddate=END)
    everything = found.application + found.permit
    times = (START, START, START, *(step["time:timestamp"] for step in STEPS), END)
    assert [from_micros(new.occurred_us) for new in everything] == list(
        map(datetime.fromisoformat, times)
    )
    assert [new.actor for new in everything] == [
        "applicant",
        "officer:resource06",
        "system:workflow",
        "officer:resource07",
        "officer:resource06",
        "officer:resource06",
    ]
    assert {new.correlation_id for new in everything} == {found.application_id}


def test_a_tracking_codes_hash_is_recorded_where_one_is_given() -> None:
    report = ImportReport()
    case = CaseReader(mapping(), OFFICE, NOW, report).read(Trace(1, dict(ATTRIBUTES)))
    assert case is not None
    writer = FactWriter(mapping(), OFFICE, CODEC, report, lambda application: application[::-1])
    found = writer.facts(case)
    submitted = decoded(found.application[0])
    assert isinstance(submitted, ApplicationSubmitted)
    assert submitted.code_hash == found.application_id[::-1]


def test_the_same_trace_gives_the_same_facts_with_ids_that_are_all_different() -> None:
    events = [event(), event(), event(CHECK), event(at="2011-10-11T10:00:00+02:00")]
    first = facts(*events)
    assert first == facts(*events)
    everything = first.application + first.permit
    assert len({new.event_id for new in everything}) == len(everything)


def test_a_longer_export_keeps_the_ids_of_what_it_had_before() -> None:
    old, late = event(), event(CHECK, "2011-10-12T09:00:00+02:00")
    earlier = event(CHECK, "2011-10-07T09:00:00+02:00")
    before = {new.event_id for new in facts(old, late).permit}
    after = {new.event_id for new in facts(earlier, old, late, enddate=PLANNED).permit}
    assert before < after
    assert len(after) == len(before) + 2


def test_the_permit_is_opened_by_its_registration() -> None:
    found = facts()
    assert found.permit[0].cause_id == found.application[1].event_id


def test_facts_are_in_order_of_time_whatever_the_order_of_the_log() -> None:
    found = facts(
        event(CHECK, "2011-10-12T09:00:00+02:00"),
        event(RECEIPT, "2011-10-10T09:00:00+02:00"),
        enddate="2011-10-11T09:00:00+02:00",
    )
    assert types(found.permit) == [
        "PermitOpened", "StageCompleted", "PermitClosed", "StageCompleted",
    ]  # fmt: skip


def test_what_the_mapping_does_not_cover_is_counted_by_name_and_left_out() -> None:
    found, report = read(
        event("Phone call", colour="red"), event("Phone call"), event(), channel="Pigeon", mood="x"
    )
    assert found is not None
    assert types(found.permit) == ["PermitOpened", "StageCompleted"]
    assert report.uncovered_activities.as_dict() == {"Phone call": 2}
    assert report.uncovered_event_attributes.as_dict() == {"colour": 1}
    assert report.uncovered_trace_attributes.as_dict() == {"mood": 1}
    assert report.uncovered_channels.as_dict() == {"Pigeon": 1}
    submitted = decoded(found.application[0])
    assert isinstance(submitted, ApplicationSubmitted)
    assert submitted.channel == "Pigeon"


def test_broken_events_are_left_out_with_the_reason() -> None:
    found, report = read(
        event(at=""),
        event(at="yesterday"),
        event(at="9999-12-31T23:59:59-12:00"),
        event(at="2031-01-01T00:00:00+00:00"),
        event(""),
        event(),
    )
    assert found is not None
    assert types(found.permit) == ["PermitOpened", "StageCompleted"]
    assert report.left_out.as_dict() == {
        notes.IN_FUTURE: 2,
        notes.NO_TIME: 2,
        notes.NO_ACTIVITY: 1,
    }
    assert (report.cases, report.log_events) == (1, 6)


def test_a_trace_without_a_name_or_a_start_is_left_out_with_the_reason() -> None:
    for missing, reason in (
        ("concept:name", notes.NO_CASE_NAME),
        ("startdate", notes.NO_SUBMISSION),
    ):
        found, report = read(event(), without=missing)
        assert found is None
        assert report.left_out.as_dict() == {reason: 1}


def test_a_case_that_was_never_registered_has_no_permit() -> None:
    found, report = read(event(CHECK), rules=mapping(registered={"activity": RECEIPT}))
    assert found is not None
    assert (len(found.application), found.permit) == (1, [])
    assert report.left_out.as_dict() == {notes.NOT_REGISTERED: 1}


def test_moments_can_be_events() -> None:
    rules = mapping(
        submitted={"event": "first"}, registered={"activity": RECEIPT}, closed={"event": "last"}
    )
    times = ["2011-10-07T09:00:00+02:00", "2011-10-08T09:00:00+02:00", "2011-10-09T09:00:00+02:00"]
    found = facts(
        event(CHECK, times[0]), event(RECEIPT, times[1]), event(CHECK, times[2]), rules=rules
    )
    moments = (found.application[0], found.application[1], found.permit[-1])
    assert [from_micros(new.occurred_us) for new in moments] == list(
        map(datetime.fromisoformat, times)
    )
    assert found.permit[-1].type == "PermitClosed"


def test_a_time_without_an_offset_is_the_offices_own() -> None:
    found = facts(event(at="2011-10-10T09:00:00"), event(at="2011-12-10T09:00:00"))
    assert [from_micros(new.occurred_us).hour for new in found.permit[1:]] == [7, 8]


def test_starts_are_recorded_and_other_transitions_are_reported() -> None:
    found, report = read(
        event(**{"lifecycle:transition": "start"}),
        event(**{"lifecycle:transition": "Complete"}),
        event(**{"lifecycle:transition": "suspend"}),
    )
    assert found is not None
    assert types(found.permit[1:]) == ["StageStarted", "StageCompleted"]
    assert report.uncovered_activities.as_dict() == {f"{RECEIPT} (suspend)": 1}


def test_contradictions_are_recorded_and_counted() -> None:
    _, report = read(
        event(at="2011-10-01T09:00:00+02:00"),
        event(at="2011-10-10T09:00:00+02:00"),
        enddate="2011-10-05T09:00:00+02:00",
    )
    assert report.contradictions.as_dict() == {
        notes.END_BEFORE_START: 1,
        notes.EVENT_AFTER_END: 1,
        notes.EVENT_BEFORE_START: 1,
    }


def test_names_from_the_log_are_safe_to_print_and_bounded() -> None:
    names = notes.Names()
    for number in range(notes.MAX_NAMES + 50):
        names.add(f"n{number}")
    names.add("\x1b[31m" + "x" * 200)
    counted = names.as_dict()
    assert len(counted) == notes.MAX_NAMES + 1
    assert counted[notes.OTHER_NAMES] == 51
    assert notes.printable("\x1b[31mred\u202e") == "?[31mred?"
    assert len(notes.printable("x" * 200)) == notes.MAX_NAME_LENGTH
