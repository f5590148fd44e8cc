"""The real parts a test can ask for, on this machine or in containers.

``pytest --parts=local`` (the default) runs Kafka from its jars and PostgreSQL from its wheel;
``--parts=containers`` runs the same tests on the images of ``deploy/containers``. A part that a
selected test needs and that can't be had fails the test and says what to install: it never skips.

======================  ========  ==================================================================
``kafka_broker``        session   ``Broker``, shared: leave it running
``kafka_bootstrap``     session   its ``host:port``
``kafka_topics``        session   the same, with the product's topics on it
``spare_broker``        function  a ``Broker`` to kill, freeze and stop
``postgres_server``     session   ``Database``, shared: leave it running
``postgres_dsn``        function  the DSN of a database of the test's own
``container_kafka``     session   a ``Broker`` in a container, whatever ``--parts`` says
``container_postgres``  session   a ``Database`` in a container, whatever ``--parts`` says
======================  ========  ==================================================================
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol, cast

import pytest

from deploy.kafka.broker import KafkaBroker
from deploy.postgres import PostgresServer


class Part(Protocol):
    """A server that a test may start, end, and crash. What it acknowledged stays."""

    def start(self) -> None:
        """Start it and return when it answers."""

    def stop(self) -> None:
        """End it in order."""

    def kill(self) -> None:
        """End it as a crash would."""


class Broker(Part, Protocol):
    """A Kafka broker."""

    @property
    def bootstrap(self) -> str:
        """Its ``host:port``."""

    def pause(self) -> None:
        """Freeze it: it holds its connections and answers nothing."""

    def resume(self) -> None:
        """Let it go on."""


class Database(Part, Protocol):
    """A PostgreSQL server."""

    @property
    def dsn(self) -> str:
        """The DSN of its database ``jejak``."""

    def create_database(self, name: str) -> str:
        """Create a database unless it exists; return its DSN."""

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the same tests run on this machine's parts or on containers."""
    parser.addoption(
        "--parts",
        choices=["local", "containers"],
        default="local",
        help="where Kafka and PostgreSQL run (default: local)",
    )


@pytest.fixture(scope="session")
def in_containers(request: pytest.FixtureRequest) -> bool:
    """Whether ``--parts=containers`` was given."""
    return cast(str, request.config.getoption("--parts")) == "containers"


@pytest.fixture(scope="session")
def container_kafka() -> Iterator[Broker]:
    """A broker in a container."""
    # Imported late: testcontainers is slow to import and only wanted here.
    from tests.containers import kafka_container

    with kafka_container() as broker:
        yield broker


@pytest.fixture(scope="session")
def container_postgres() -> Iterator[Database]:
    """A PostgreSQL in a container."""
    from tests.containers import postgres_container

    with postgres_container() as server:
        yield server


@pytest.fixture(scope="session")
def kafka_broker(request: pytest.FixtureRequest, in_containers: bool) -> Iterator[Broker]:
    """The broker that tests share."""
    if in_containers:
        yield cast(Broker, request.getfixturevalue("container_kafka"))
    else:
        with local_broker() as broker:
            yield broker


@pytest.fixture(scope="session")
def kafka_bootstrap(kafka_broker: Broker) -> str:
    """``host:port`` of the broker that tests share."""
    return kafka_broker.bootstrap


@pytest.fixture(scope="session")
def kafka_topics(kafka_bootstrap: str) -> str:
    """``host:port`` of the broker that tests share, with the product's topics on it."""
    # Imported late: the client reads all of its protocol when it is imported.
    from shared.topic_admin import apply

    apply(kafka_bootstrap)
    return kafka_bootstrap


@pytest.fixture
def spare_broker(in_containers: bool) -> Iterator[Broker]:
    """A broker for one test that kills, freezes or stops it."""
    with spare_container() if in_containers else local_broker() as broker:
        yield broker


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest, in_containers: bool) -> Iterator[Database]:
    """The PostgreSQL server that tests share."""
    if in_containers:
        yield cast(Database, request.getfixturevalue("container_postgres"))
    else:
        with folder("postgres") as place, PostgresServer(place) as server:
            yield server


@pytest.fixture
def postgres_dsn(postgres_server: Database) -> Iterator[str]:
    """The DSN of a fresh database, dropped after the test."""
    name = f"test_{uuid.uuid4().hex}"
    yield postgres_server.create_database(name)
    postgres_server.drop_database(name)


@contextmanager
def folder(name: str) -> Iterator[Path]:
    """A temporary folder that does not outlive its server: pytest would keep three of them."""
    with tempfile.TemporaryDirectory(prefix=f"jejak-{name}-") as place:
        yield Path(place)


@contextmanager
def local_broker() -> Iterator[Broker]:
    """A broker on this machine."""
    with folder("kafka") as place, KafkaBroker(place) as broker:
        yield broker


def spare_container() -> AbstractContextManager[Broker]:
    """A broker in a container of its own."""
    from tests.containers import kafka_container

    return kafka_container()
