"""A part that can't be had or does not come up says so in words a person can act on."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.kafka.broker import KafkaBroker, cluster_id
from deploy.kafka.jars import POM, resolve
from deploy.parts import PartMissing, PartNotReady, end, free_port, tail, wait_until


def child(code: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)


def test_a_free_port_can_be_bound_and_is_no_ephemeral_one() -> None:
    port = free_port()
    with socket.socket() as server:
        server.bind(("127.0.0.1", port))
    assert port < 32_768


def test_a_part_that_ends_while_starting_shows_its_log() -> None:
    with child("raise SystemExit(3)") as process, pytest.raises(PartNotReady) as refused:
        wait_until(lambda: False, part="It", process=process, seconds=20, log=lambda: "no {disk}")
    assert "ended with code 3" in str(refused.value)
    assert "no {disk}" in str(refused.value)


def test_a_part_that_takes_too_long_is_not_waited_for() -> None:
    with child("import time; time.sleep(60)") as process:
        with pytest.raises(PartNotReady, match=r"0\.1 seconds passed"):
            wait_until(lambda: False, part="It", process=process, seconds=0.1, log=str)
        process.kill()


def test_what_will_not_end_is_killed() -> None:
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True)"
    with child(f"{stubborn}; time.sleep(60)") as process:
        assert process.stdout is not None
        process.stdout.readline()
        end(process, signal.SIGTERM, seconds=0.2)
        assert process.returncode == -signal.SIGKILL


def test_the_tail_of_a_log_begins_where_asked(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert tail(log) == ""
    log.write_text("old\nnew\n")
    assert tail(log, start=4) == "new\n"


def test_without_java_the_broker_names_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PartMissing, match="openjdk-17-jre-headless"):
        KafkaBroker(tmp_path / "data").start()


def test_without_maven_only_a_missing_cache_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    java = tmp_path / "java"
    java.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PartMissing, match="apt-get install maven"):
        resolve(tmp_path / "cache")
    full = tmp_path / "full"
    full.mkdir()
    (full / POM.name).write_bytes(POM.read_bytes())
    assert resolve(full) == full


def test_a_changed_pom_is_resolved_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / POM.name).write_text("<project/>")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(PartMissing):
        resolve(tmp_path)


def test_a_cluster_id_is_what_kafka_expects() -> None:
    assert len(cluster_id()) == 22
    assert cluster_id() != cluster_id()
