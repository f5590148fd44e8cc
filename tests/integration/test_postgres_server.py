"""The database that contract tests rely on is durable, guarded, and keeps what it committed."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from deploy.parts import free_port
from deploy.postgres import PostgresServer


def test_commits_survive_a_kill(tmp_path: Path) -> None:
    with PostgresServer(tmp_path) as server:
        with psycopg.connect(server.dsn) as connection:
            connection.execute("CREATE TABLE facts (n integer)")
            connection.execute("INSERT INTO facts SELECT generate_series(1, 100)")
        server.kill()
        server.start()
        with psycopg.connect(server.dsn) as connection:
            assert connection.execute("SELECT count(*) FROM facts").fetchone() == (100,)


def test_settings_are_durable(postgres_dsn: str) -> None:
    with psycopg.connect(postgres_dsn) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            row = connection.execute("SELECT current_setting(%s)", (setting,)).fetchone()
            assert row == ("on",)


def test_every_test_has_an_empty_database(postgres_dsn: str) -> None:
    with psycopg.connect(postgres_dsn) as connection:
        row = connection.execute(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchone()
    assert row == (0,)


def test_nobody_connects_without_the_password(postgres_dsn: str) -> None:
    known = conninfo_to_dict(postgres_dsn) | {"passfile": "/nonexistent", "password": "guess"}
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(make_conninfo("", **known))


def test_the_dsn_holds_no_password(tmp_path: Path) -> None:
    assert "password" not in conninfo_to_dict(PostgresServer(tmp_path).dsn)


def test_in_the_foreground_it_ends_in_order_when_told_to(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "deploy.postgres", "run"]
    command += ["--data", str(tmp_path), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "takes connections" in process.stdout.readline()
        # A client that stays must not keep the server from ending.
        with psycopg.connect(PostgresServer(tmp_path, port).dsn):
            process.terminate()
            assert process.wait(20) == 0
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", port)) != 0
