"""The database that contract tests rely on is durable, guarded, and keeps what it committed."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

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
