"""The same running office for every case: embedded, and over Kafka and PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from tests.unit.payment.banks.kit import Account, Desk, open_desk

MODES = ["embedded", pytest.param("kafka", marks=pytest.mark.kafka)]


@pytest.fixture(scope="module", params=MODES)
def many_machines(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The settings that make the mode."""
    if request.param == "embedded":
        return {}
    server = request.getfixturevalue("postgres_server")
    dsn = server.create_database(f"test_{uuid.uuid4().hex}")
    return {"kafka": request.getfixturevalue("kafka_topics"), "postgres": SecretStr(dsn)}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def desk(
    tmp_path_factory: pytest.TempPathFactory, many_machines: dict[str, Any]
) -> AsyncIterator[Desk]:
    """A running payment service with a bank of each dialect."""
    async with open_desk(tmp_path_factory.mktemp("banks"), **many_machines) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def account(desk: Desk) -> AsyncIterator[Account]:
    """A fresh bill of the SNAP partner's office."""
    desk.bank.fault = ""
    yield await desk.bill()
    desk.bank.fault = ""
