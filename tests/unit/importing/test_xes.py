"""The reader: one trace at a time from any XES file, and a clear answer for any other file."""

from __future__ import annotations

import gzip
import re
import tracemalloc
from pathlib import Path

import pytest

from deploy.importing import xes
from deploy.importing.errors import BadLog
from deploy.importing.xes import Trace, XesReader
from tests.unit.importing.kit import CHECK, RECEIPT, event, log, trace, write


def read(file: Path) -> list[Trace]:
    return list(XesReader(file))


@pytest.mark.parametrize("zipped", [False, True])
def test_reads_attributes_and_events_in_file_order(tmp_path: Path, zipped: bool) -> None:
    text = log(trace("case-1", [event(RECEIPT), event(CHECK)], channel="Desk"), trace("case-2"))
    first, second = read(write(tmp_path, text, zipped=zipped))
    assert first.attributes["concept:name"] == "case-1"
    assert first.attributes["channel"] == "Desk"
    assert [e["concept:name"] for e in first.events] == [RECEIPT, CHECK]
    assert (second.attributes["concept:name"], second.events) == ("case-2", [])
    assert (first.line, second.line) == (4, 17)


def test_reads_a_log_in_the_standards_namespace(tmp_path: Path) -> None:
    head = '<?xml version="1.0"?><log xmlns="http://www.xes-standard.org/">'
    [one] = read(write(tmp_path, log(trace(events=[event()]), head=head)))
    assert one.events[0]["concept:name"] == RECEIPT


def test_attributes_of_attributes_lists_and_globals_are_not_the_traces_own(tmp_path: Path) -> None:
    inner = """<trace><string key="a" value="1"><string key="b" value="2"/></string>
    <list key="c"><values><string key="d" value="3"/></values></list>
    <event><date key="t" value="x"><int key="e" value="4"/></date></event></trace>"""
    outer = '<global scope="trace"><string key="concept:name" value="UNKNOWN"/></global>'
    [one] = read(write(tmp_path, log(outer, inner)))
    assert one.attributes == {"a": "1"}
    assert one.events == [{"t": "x"}]


def test_says_how_much_of_the_file_was_read(tmp_path: Path) -> None:
    file = write(tmp_path, log(*(trace(f"case-{n}", [event()] * 20) for n in range(200))))
    reader = XesReader(file)
    assert reader.fraction == 0.0
    fractions = [reader.fraction for _ in reader]
    assert fractions == sorted(fractions)
    assert 0.0 < fractions[0] < 0.5
    assert reader.fraction == 1.0


BOMB = """<?xml version="1.0"?>
<!DOCTYPE log [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>
<log><trace><string key="x" value="&b;"/></trace></log>"""
EXTERNAL = """<?xml version="1.0"?>
<!DOCTYPE log SYSTEM "file:///etc/passwd">
<log></log>"""


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "not well-formed"),
        ("case;activity\n1;receipt\n", 1, "not well-formed"),
        ("<html>\n<p/></html>", 1, "not an XES log"),
        ("<log>\n<trace>\n<event></trace></log>", 3, "not well-formed"),
        (log(trace("case-1"), tail=""), 8, "not well-formed"),
        (log(), 4, "without a single trace"),
        (BOMB, 2, "entities"),
        (EXTERNAL, 2, "entities"),
        ('<?xml version="1.0" encoding="klingon"?><log/>', 1, "encoding|well-formed"),
        ("<log>" + "<a>" * 100 + "</a>" * 100 + "</log>", 1, "nested too deeply"),
    ],
)
def test_a_bad_log_is_refused_with_its_line(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    with pytest.raises(BadLog) as refusal:
        read(write(tmp_path, text))
    assert refusal.value.params["line"] == line
    assert re.search(says, str(refusal.value))
    assert refusal.value.status == 422


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for file in (tmp_path / "none.xes", tmp_path):
        with pytest.raises(BadLog, match="can't be opened"):
            read(file)


def test_what_came_before_the_bad_place_is_read(tmp_path: Path) -> None:
    whole = log(*(trace(f"case-{n}", [event()] * 20) for n in range(100)))
    file = write(tmp_path, whole[: len(whole) // 2])
    seen: list[str] = []

    def keep_all() -> None:
        for one in XesReader(file):
            seen.append(one.attributes["concept:name"])

    with pytest.raises(BadLog):
        keep_all()
    complete = (len(whole) // 2) * 100 // len(whole)
    assert seen == [f"case-{n}" for n in range(len(seen))]
    assert len(seen) >= complete - 2


@pytest.mark.parametrize(("damage", "says"), [("cut", "ends too early"), ("flip", "damaged")])
def test_a_damaged_compressed_file_is_refused(tmp_path: Path, damage: str, says: str) -> None:
    data = bytearray(gzip.compress(log(*(trace(f"case-{n}") for n in range(50))).encode()))
    if damage == "cut":
        data = data[:-40]
    else:
        data[len(data) // 2] ^= 0xFF
    with pytest.raises(BadLog, match=f"{says}|well-formed"):
        read(write(tmp_path, bytes(data)))


def test_an_endless_value_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    text = b'<log><trace><string key="x" value="' + b"a" * (xes.MAX_SILENT_BYTES * 3)
    file = write(tmp_path, text, zipped=True)
    with pytest.raises(BadLog, match="too large"):
        read(file)


def test_a_trace_beyond_the_limits_is_cut_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xes, "MAX_EVENTS_PER_TRACE", 3)
    monkeypatch.setattr(xes, "MAX_ATTRIBUTES", 2)
    [one] = read(write(tmp_path, log(trace(events=[event()] * 5, a="1", b="2"))))
    assert (len(one.events), len(one.attributes)) == (3, 2)
    # Two events, two attributes of the trace, and one of each event.
    assert one.left_out == 2 + 2 + 5


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(traces: int) -> int:
        file = write(tmp_path, log(*(trace(f"case-{n}", [event()] * 6) for n in range(traces))))
        tracemalloc.start()
        for _ in XesReader(file):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(4_000) < peak(200) + 100_000
