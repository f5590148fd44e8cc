"""The same running office for every case: embedded, and over Kafka and PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from tests.fixtures import local_broker, spare_container
from tests.unit.payment.banks.kit import Account, Desk, open_desk

MODES = ["embedded", pytest.param("kafka", marks=pytest.mark.kafka)]


@pytest.fixture(scope="module", params=MODES)
def many_machines(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """The settings that make the mode.

    The broker is a module's own: the records of a topic belong to one store.
    """
    if request.param == "embedded":
        yield {}
        return
    # Imported late: the client reads all of its protocol when it is imported.
    from shared.topic_admin import apply

    server = request.getfixturevalue("postgres_server")
    in_containers = request.getfixturevalue("in_containers")
    name = f"test_{uuid.uuid4().hex}"
    dsn = server.create_database(name)
    with spare_container() if in_containers else local_broker() as broker:
        apply(broker.bootstrap)
        yield {"kafka": broker.bootstrap, "postgres": SecretStr(dsn)}
    server.drop_database(name)


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
