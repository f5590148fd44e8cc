"""The ``jejak`` command as a person and a program meet it: words, JSON and exit codes."""

from __future__ import annotations

import asyncio
import json
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import structlog
from click.testing import CliRunner, Result

from deploy.cli import main
from deploy.serve import Running, opened
from shared.bus import Delivery
from shared.projection import Projector
from shared.settings import SERVICES, Settings
from shared.topics import belongs_to
from tests.process import PASSWORD, OfficeProcess
from tests.process import jejak as run_jejak

REPO = Path(__file__).resolve().parents[3]
SAMPLE = REPO / "deploy" / "imports" / "sample.xes"
MAPPING = REPO / "deploy" / "imports" / "sample.yaml"
COMMANDS = [
    ["run"],
    ["serve"],
    ["worker"],
    ["import"],
    ["simulate"],
    ["status"],
    ["history"],
    ["replay"],
    ["parked"],
    ["parked", "list"],
    ["parked", "show"],
    ["parked", "retry"],
    ["offices"],
    ["offices", "check"],
    ["offices", "show"],
    ["offices", "diff"],
    ["whatif"],
    ["topics"],
    ["topics", "apply"],
    ["topics", "check"],
    ["topics", "lag"],
]


@pytest.fixture(autouse=True)
def _own_logging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give no other test our captured streams, and no environment of the machine to us."""
    for name in ("JEJAK_DATA", "JEJAK_KAFKA", "JEJAK_POSTGRES", "JEJAK_KURRENT", "LANG"):
        monkeypatch.delenv(name, raising=False)
    yield
    structlog.reset_defaults()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """An empty data folder."""
    return tmp_path / "data"


def jejak(*words: str | Path) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, [str(word) for word in words])


def answered(result: Result, code: int = 0) -> Any:
    """Return the JSON that was answered, after checking the exit code."""
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def imported(data: Path) -> Any:
    """Import the sample log and return the report."""
    words = ("--data", data, "import", SAMPLE, "--mapping", MAPPING, "--office", "receipt")
    return answered(jejak(*words, "--json"))


def projected(data: Path) -> None:
    """Fold the whole log into every read model, as a running office does."""

    async def work() -> None:
        async with opened(Settings(data=data), SERVICES) as running:
            for service in running.services:
                for projector in service.folds(worker=False):
                    await _fold_all(running, projector)

    asyncio.run(work())


async def _fold_all(running: Running, projector: Projector) -> None:
    await projector.prepare()
    wanted = belongs_to(projector.projection.topics)
    events = [e for e in await running.kernel.store.read_all(0, 100_000) if wanted(e.stream)]
    await projector.project([Delivery("store", events)])


def test_help_names_every_command_and_the_exit_codes() -> None:
    said = jejak("--help")
    assert said.exit_code == 0
    for word in (*(words[0] for words in COMMANDS), "JEJAK_DATA"):
        assert word in said.output
    assert "Exit codes: 0 done, 1 refused or a difference found, 2 wrong usage." in said.output


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(words: list[str]) -> None:
    said = jejak(*words, "--help")
    assert said.exit_code == 0
    first = " ".join(said.output.split("\n\n")[1].split())
    assert first.endswith(".")
    assert len(first) > 20


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["--nonsense"],
        ["run", "--port", "70000"],
        ["serve", "nonsense"],
        ["import", "missing.xes", "--mapping", "missing.yaml", "--office", "receipt"],
        ["import", str(SAMPLE)],
        ["status"],
        ["parked", "show"],
        ["--lang", "fr", "replay"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2_and_says_how_to_go_on(words: list[str]) -> None:
    said = jejak(*words)
    assert said.exit_code == 2
    assert said.stdout == ""
    assert "Usage:" in said.stderr


def test_a_refusal_is_a_sentence_in_the_callers_language_and_exits_with_1() -> None:
    english, indonesian = jejak("--lang", "en", "topics", "check"), jejak("topics", "check", "-h")
    assert english.exit_code == 1
    assert "JEJAK_KAFKA" in english.stderr
    assert english.stdout == ""
    assert indonesian.exit_code == 0


def test_a_refusal_is_json_for_programs() -> None:
    said = answered(jejak("topics", "check", "--json"), code=1)
    assert said["code"] == "bad-configuration"
    assert "JEJAK_KAFKA" in said["message"]


def test_importing_twice_adds_nothing(data: Path) -> None:
    first, again = imported(data), imported(data)
    assert first["recorded"] > 0
    assert again["recorded"] == 0
    assert again["already_there"] == first["recorded"] + first["already_there"]


def test_importing_for_an_unknown_office_changes_nothing(data: Path) -> None:
    words = ("import", SAMPLE, "--mapping", MAPPING, "--office", "nowhere", "--json")
    said = answered(jejak("--data", data, *words), code=1)
    assert "nowhere" in said["message"]
    with closing(sqlite3.connect(data / "events.sqlite")) as store:
        assert store.execute("SELECT COUNT(*) FROM events").fetchone() == (0,)


def test_the_folder_of_the_environment_is_used_and_the_option_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named, given = tmp_path / "named", tmp_path / "given"
    monkeypatch.setenv("JEJAK_DATA", str(named))
    assert jejak("parked", "list").exit_code == 0
    assert jejak("--data", given, "parked", "list").exit_code == 0
    assert (named / "events.sqlite").exists()
    assert (given / "events.sqlite").exists()


def test_status_and_history_of_an_imported_permit(data: Path) -> None:
    imported(data)
    said = jejak("--data", data, "status", "smp-001")
    assert said.exit_code == 0
    assert "SMP-001" in said.stdout
    status = answered(jejak("--data", data, "--lang", "id", "status", "SMP-001", "--json"))
    assert (status["number"], status["status"]) == ("SMP-001", "finished")
    assert status["sentence"] == "Berkas sudah ditutup."
    assert len(status["trail"]) > 3
    assert "code" not in status
    events = answered(jejak("--data", data, "history", "SMP-001", "--json"))
    assert [e["type"] for e in events[:2]] == ["ApplicationSubmitted", "ApplicationRegistered"]
    assert events[0]["occurred_at"].startswith("2013-01-10T")
    shown = jejak("--data", data, "history", "SMP-001").stdout
    assert all(event["type"] in shown for event in events), "names must not be cut"


def test_the_secret_code_is_shown_only_when_it_is_asked_for(data: Path) -> None:
    imported(data)
    code = answered(jejak("--data", data, "status", "SMP-001", "--code", "--json"))["code"]
    assert len(code) == 26
    assert code not in jejak("--data", data, "status", "SMP-001").stdout


@pytest.mark.parametrize("command", ["status", "history"])
def test_an_unknown_number_is_refused_with_1(data: Path, command: str) -> None:
    said = answered(jejak("--data", data, command, "BGR-2026-999999", "--json"), code=1)
    assert said["code"] == "not-found"
    in_words = jejak("--data", data, "--lang", "id", command, "BGR-2026-999999")
    assert (in_words.exit_code, in_words.stdout) == (1, "")
    assert in_words.stderr.startswith(
        "Nomor ini tidak dikenal di sini. Cocokkan dengan tanda terima"
    )
    assert said["message"].startswith("This number is not known here. Compare it with the receipt")
    assert "999999" not in in_words.stderr


def test_the_worker_needs_a_broker(data: Path) -> None:
    said = jejak("--data", data, "worker")
    assert said.exit_code == 1
    assert "JEJAK_KAFKA" in said.stderr


def test_replay_of_an_honest_office_finds_nothing(data: Path) -> None:
    imported(data)
    projected(data)
    rebuilt = answered(jejak("--data", data, "replay", "--check", "--json"))
    assert {"applications", "permits", "bills-2", "messages-2"} <= {r["name"] for r in rebuilt}
    assert all(r["difference"] is None for r in rebuilt)
    said = jejak("--data", data, "replay", "--check")
    assert said.exit_code == 0
    assert "Every read model equals its log." in said.stdout


def test_replay_names_the_table_and_the_key_of_a_changed_row(data: Path) -> None:
    imported(data)
    projected(data)
    with closing(sqlite3.connect(data / "intake.sqlite", isolation_level=None)) as database:
        (key,) = database.execute("SELECT MAX(application_id) FROM applications").fetchone()
        database.execute(
            "UPDATE applications SET status = 'withdrawn' WHERE application_id = ?", (key,)
        )
    said = jejak("--data", data, "replay", "--check")
    assert said.exit_code == 1
    assert "applications: differs first in applications" in said.stdout
    assert key in said.stdout.replace("\n", "")
    rebuilt = answered(jejak("--data", data, "replay", "--check", "--json"), code=1)
    (found,) = [r["difference"] for r in rebuilt if r["difference"] is not None]
    assert found["table"] == "applications"
    assert json.loads(found["key"]) == [key]


def test_replay_can_keep_what_it_rebuilt(data: Path, tmp_path: Path) -> None:
    imported(data)
    assert jejak("--data", data, "replay", "--into", tmp_path / "kept").exit_code == 0
    with closing(sqlite3.connect(tmp_path / "kept" / "applications.sqlite")) as database:
        (rows,) = database.execute("SELECT COUNT(*) FROM applications").fetchone()
    assert rows > 0


def test_nothing_parked_is_said_and_an_unknown_permit_is_not_found(data: Path) -> None:
    said = jejak("--data", data, "parked", "list")
    assert (said.exit_code, said.stdout.strip()) == (0, "Nothing is parked.")
    assert answered(jejak("--data", data, "parked", "list", "--json")) == []
    for words in (["show", "unknown"], ["retry", "unknown"]):
        refused = answered(jejak("--data", data, "parked", *words, "--json"), code=1)
        assert refused["code"] == "not-found"


def test_running_tells_the_address_and_accounts_and_stops_in_order(tmp_path: Path) -> None:
    with OfficeProcess(tmp_path / "data") as office:
        said = office.printed()
        assert f"Jejak is running at {office.address}" in said
        for word in ("loket", PASSWORD, f"{office.address}/izin", str(office.data)):
            assert word in said
        office.stop()
        assert office.process.returncode == 0
    assert office.log.read_text() == ""
    # Closed in order: nothing is left in a write-ahead log.
    assert list(office.data.glob("*-wal")) == []


def test_a_taken_port_is_said_and_exits_with_1(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run_jejak("--data", tmp_path / "data", "run", "--port", port)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert port in done.stderr
