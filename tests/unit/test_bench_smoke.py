"""The benchmark runs, counts what a kill -9 left, and says what it could not run. No figure counts.

Whether a target is met is no business of a test: see specs on performance.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.bench import report
from tests.bench.measure import Kept, Reading, Row, Series, Target, judge, percentile
from tests.bench.processes import ROOT
from tests.bench.telling import Teller


def bench(folder: Path, *arguments: str, **environment: str) -> tuple[str, dict[str, Any]]:
    """Run the benchmark quickly; return what it printed and its JSON."""
    file = folder / "bench.json"
    command = [sys.executable, "-m", "tests.bench", "--quick", "--json", str(file)]
    done = subprocess.run(
        [*command, "--data", str(folder), *arguments],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, json.loads(file.read_text())


def series(**values: list[float]) -> dict[str, Series]:
    """Return series of rates by name."""
    return {name: Series("/s", rounds) for name, rounds in values.items()}


@pytest.mark.parametrize(
    ("target", "ratio", "short_by"),
    [
        (Target("", "ours", ("disk",), at_least=0.6), 0.3, 2.0),
        (Target("", "ours", ("disk",), at_least=0.2), 0.3, 0.2 / 0.3),
        (Target("", "ours", ("disk", "net"), at_most=0.1), 0.15, 1.5),
        (Target("", "ours", at_most=60.0), 30.0, 0.5),
    ],
)
def test_a_ratio_is_formed_within_each_round(target: Target, ratio: float, short_by: float) -> None:
    measured = series(ours=[30, 10, 300], disk=[100, 100, 100], net=[100, 100, 100])
    verdict = judge(target, measured)
    assert verdict.ratio == pytest.approx(ratio)
    assert verdict.short_by == pytest.approx(short_by)
    assert verdict.met == (short_by <= 1)


async def test_contestants_take_turns() -> None:
    turns: list[str] = []

    def contestant(name: str) -> Any:
        async def run() -> list[Reading]:
            turns.append(name)
            return [Reading(name, float(len(turns)))]

        return run

    row = Row(0, "")
    await row.interleave(
        {"a": contestant("a"), "b": contestant("b")}, 2, Teller(Console(quiet=True))
    )
    assert turns == ["a", "b", "a", "b"]
    assert row.series["b"].values == [2.0, 4.0]


def test_what_a_kill_took_away_is_counted_and_told() -> None:
    row = Row(2, "officer")
    row.keep(Kept("1 client", 10, 10))
    row.keep(Kept("1 client", 5, 4))
    out = io.StringIO()
    facts = dict.fromkeys(("processors", "processor", "disk", "python", "sqlite"), "")
    report.show(Console(file=out, width=100), [row], facts)
    assert row.lost == 1
    assert "15 acknowledged, 14 there 1 LOST" in out.getvalue()
    assert report.as_json([row], {})["rows"][0]["kill_9"] == [
        {"what": "1 client", "acknowledged": 15, "found": 14, "lost": 1}
    ]


def test_percentiles_are_values_that_were_measured() -> None:
    assert [percentile([3, 1, 2, 4], share) for share in (0.0, 0.5, 0.99)] == [1, 3, 4]


def test_a_quick_run_measures_and_loses_nothing(tmp_path: Path) -> None:
    printed, result = bench(tmp_path, "--rows", "2,4")
    officer, auditor = result["rows"]
    assert result["quick"] is True
    assert result["machine"]["processors"] == os.cpu_count()
    assert [kept["lost"] for kept in officer["kill_9"]] == [0, 0, 0, 0]
    assert all(kept["acknowledged"] for kept in officer["kill_9"])
    assert {"eventsourcing, 1", "Jejak, 32", "fdatasync"} <= officer["series"].keys()
    assert auditor["series"]["replay, all read models"]["median"] > 0
    assert "Row 2" in printed
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bench.json"]


def test_the_bank_is_answered_and_no_bill_is_paid_twice(tmp_path: Path) -> None:
    _, result = bench(tmp_path, "--rows", "6")
    (row,) = result["rows"]
    assert row["series"]["signed callbacks"]["median"] > 0
    (kept,) = row["kill_9"]
    assert kept["acknowledged"] > 0
    assert kept["lost"] == 0


def test_what_providers_tell_is_durable_and_told_once(tmp_path: Path) -> None:
    _, result = bench(tmp_path, "--rows", "10")
    (row,) = result["rows"]
    assert row["series"]["webhook, median"]["median"] > 0
    (kept,) = row["kill_9"]
    assert kept["acknowledged"] > 1000
    assert kept["lost"] == 0


def test_a_full_queue_is_sent_from(tmp_path: Path) -> None:
    _, result = bench(tmp_path, "--rows", "11")
    (row,) = result["rows"]
    for queue in ("1,000", "2,000", "one person's"):
        assert row["series"][f"{queue} queued: sent"]["median"] > 0
        assert row["series"][f"{queue} queued: look"]["median"] > 0
        assert row["series"][f"{queue} queued: memory"]["median"] > 10


def test_what_needs_java_is_named_where_there_is_none(tmp_path: Path) -> None:
    printed, result = bench(tmp_path, "--rows", "7", PATH=str(tmp_path))
    (row,) = result["rows"]
    assert "needs Java" in row["not_run"][0]
    assert "not run: read models over Kafka: needs Java" in printed
    assert row["series"]["notify"]["median"] > 0
