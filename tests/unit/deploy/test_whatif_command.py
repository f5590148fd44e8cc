"""``jejak whatif`` as a person and a program meet it, on logs of this office and of another."""

from __future__ import annotations

import asyncio
import csv
import json
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from deploy.cli import main
from deploy.commands.replaying import progress_bar
from shared.codec import Codec
from shared.settings import Settings
from shared.store import Batch
from shared.store.sqlite import SqliteStore
from tests.bench.permits import as_new, log

REPO = Path(__file__).resolve().parents[3]
SHIPPED = Settings().config
REAL = REPO.parent / "shared" / "data" / "receipt.xes.gz"


def jejak(data: Path, *words: str | Path) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, ["--data", str(data), "--lang", "id", *map(str, words)])


def asked(data: Path, *words: str | Path) -> dict[str, Any]:
    """Return what a program is answered."""
    result = jejak(data, "whatif", *words, "--json")
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


async def _filled(data: Path, permits: int) -> None:
    store, codec = SqliteStore(data / "events.sqlite"), Codec()
    try:
        rows = log(permits, codec)
        for start in range(0, len(rows), 64):
            # Neighbours belong to different permits: they share a commit.
            batches = [Batch(row.stream, [as_new(row)]) for row in rows[start : start + 64]]
            await store.append_many(batches)
    finally:
        await store.close()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the whole lives of 64 permits."""
    folder = tmp_path_factory.mktemp("data")
    asyncio.run(_filled(folder, 64))
    return folder


def changed(folder: Path, name: str, *changes: tuple[str, str]) -> Path:
    """Return a copy of a shipped file with texts replaced that must be there."""
    text = (SHIPPED / name).read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file = folder / Path(name).name
    file.write_text(text)
    return file


def test_a_person_reads_a_table_before_then_and_difference(data: Path, tmp_path: Path) -> None:
    sop = changed(tmp_path, "permits/situ.yaml", ("working_days: 5", "working_days: 1"))
    result = jejak(data, "whatif", "--office", "bogor", "--sop", sop)
    assert result.exit_code == 0, result.output
    assert "64 berkas" in result.output
    assert "Tahap yang selesai tepat waktu" in result.output
    assert "Selisih" in result.output


def test_a_program_gets_the_same_counts_and_the_csv_has_a_row_each(
    data: Path, tmp_path: Path
) -> None:
    rows = tmp_path / "rows.csv"
    answer = asked(data, "--office", "bogor", "--csv", rows)
    assert answer["complete"]
    assert answer["permits"] == 64
    assert answer["changed_permits"] == 0
    read = list(csv.DictReader(rows.read_text(encoding="utf-8").splitlines()))
    assert len(read) == sum(step["turns"] for step in answer["steps"])
    assert {row["number"] for row in read} >= {"BGR-2026-000000", "BGR-2026-000063"}
    for name in ("warned", "asked", "supervisor"):
        assert sum(int(row[f"base_{name}"]) for row in read) == answer["total"]["base"][name]


def test_the_period_is_of_the_office_s_own_days(data: Path) -> None:
    assert asked(data, "--office", "bogor", "--from", "2026-01-06")["permits"] == 0
    both = asked(data, "--office", "bogor", "--from", "2026-01-05", "--to", "2026-01-05")
    assert both["permits"] == 64


def test_bad_files_are_refused_in_the_sentences_of_the_check(data: Path, tmp_path: Path) -> None:
    for name, option, change, said in (
        (
            "permits/situ.yaml",
            "--sop",
            ("working_days: 5", "working_days: tiga"),
            "situ.yaml, baris 8: promise.working_days: Tulis bilangan bulat.",
        ),
        (
            "permits/situ.yaml",
            "--sop",
            ("      days: 1\n", "      days: 0\n"),
            "situ.yaml, baris",
        ),
        (
            "offices/bogor.yaml",
            "--calendar",
            ('mon: ["07:30-12:00"', 'mon: ["12:30-12:00"'),
            "bogor.yaml, baris",
        ),
        (
            "offices/bogor.yaml",
            "--ladder",
            ("answer_minutes: 240", "answer_minutes: 0"),
            "Tulis angka lebih dari 0.",
        ),
        (
            "permits/sku.yaml",
            "--sop",
            ("id: sku", "id: sku"),
            "Kantor bogor tidak melayani izin sku.",
        ),
        (
            "holidays/2026.yaml",
            "--calendar",
            ("country: ID", "country: NL"),
            "Kantor bogor memakai hari libur ID.",
        ),
    ):
        file = changed(tmp_path, name, change)
        result = jejak(data, "whatif", "--office", "bogor", option, file)
        assert result.exit_code == 1, result.output
        assert said in result.output, result.output
    nowhere = jejak(data, "whatif", "--office", "nowhere")
    assert nowhere.exit_code == 1
    assert "Tidak ada kantor seperti itu. Yang ada: blitar, bogor," in nowhere.output


def test_a_calendar_is_an_office_s_or_a_year_of_leave_and_a_ladder_its_own(
    data: Path, tmp_path: Path
) -> None:
    ladder = tmp_path / "ladder.yaml"
    ladder.write_text("ladder: {warn_percent: 1, answer_minutes: 1, head_minutes: 1}\n")
    answer = asked(
        data,
        "--office",
        "bogor",
        "--calendar",
        SHIPPED / "holidays" / "2026.yaml",
        "--ladder",
        ladder,
    )
    total = answer["total"]
    # The same leave, and a ladder that warns at once: more is told, nothing is later.
    assert total["late_turns"]["base"] == total["late_turns"]["variant"]
    assert total["variant"]["warned"] >= total["base"]["warned"]
    bare = tmp_path / "bare.yaml"
    bare.write_text("answer_minutes: 1\n")
    assert asked(data, "--office", "bogor", "--ladder", bare)["complete"]
    other = SHIPPED / "offices" / "blitar.yaml"
    assert asked(data, "--office", "bogor", "--calendar", other, "--ladder", other)["complete"]


def test_ctrl_c_shows_the_part_and_exits_with_130(tmp_path: Path) -> None:
    asyncio.run(_filled(tmp_path, 1280))
    rows = tmp_path / "rows.csv"
    words = ("--data", tmp_path, "--lang", "en", "whatif", "--office", "bogor", "--csv", rows)
    process = subprocess.Popen(
        [sys.executable, "-c", "from deploy.cli import main; main()", *map(str, words), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=REPO,
    )
    with process:
        # Rows are on the disk: it is in the middle of the log.
        while not (rows.exists() and rows.stat().st_size) and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    answer = json.loads(said)
    assert not answer["complete"]
    assert 0 < answer["permits"] < 1280


@pytest.mark.skipif(
    not REAL.exists(), reason=f"the real log is third-party data and is not at {REAL}"
)
def test_the_real_log_s_planned_ends_are_held_beside_our_deadlines(tmp_path: Path) -> None:
    mapping = REPO / "deploy" / "imports" / "receipt.yaml"
    done = jejak(tmp_path, "import", REAL, "--mapping", mapping, "--office", "receipt")
    assert done.exit_code == 0, done.output
    sop = changed(tmp_path, "permits/wabo-receipt.yaml", ("working_days: 40", "working_days: 20"))
    answer = asked(tmp_path, "--office", "receipt", "--sop", sop)
    ends = answer["planned_ends"]
    # 1,329 of the 1,434 cases have ended. Eight weeks of ours begin with the registration, and
    # leave out Dutch holidays; the log's own planned ends are fixed dates.
    assert ends["not_ended"] == 105
    assert ends["base"] == {
        "cases": 1329,
        "late_by_both": 359,
        "late_by_ours_only": 144,
        "late_by_theirs_only": 30,
        "late_by_neither": 796,
    }
    base, variant = ends["base"], ends["variant"]
    # Half the promise: more is late by ours, and as much as before by the log's own dates.
    assert variant["late_by_ours_only"] > base["late_by_ours_only"]
    for rules in (base, variant):
        assert rules["late_by_both"] + rules["late_by_theirs_only"] == 389


def test_a_bar_is_drawn_before_the_total_is_known() -> None:
    bar, shown = progress_bar(), Console(file=StringIO(), width=120)
    task = bar.add_task("events", total=None)
    shown.print(bar.get_renderable())
    bar.update(task, completed=3, total=1234)
    shown.print(bar.get_renderable())
    assert isinstance(shown.file, StringIO)
    before, after = (line for line in shown.file.getvalue().splitlines() if "events" in line)
    assert "0/?" in before
    assert "3/1,234" in after
