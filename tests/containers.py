"""Kafka and PostgreSQL in containers, through ``testcontainers``, on images made by
``deploy/containers``.

They answer to the same protocols as the parts that run on this machine (``tests.fixtures``).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import docker
from docker.errors import (
    DockerException,
    ImageNotFound,
)
from psycopg.conninfo import make_conninfo
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from deploy.parts import PartMissing, free_port
from deploy.postgres.server import create_database, drop_database

KAFKA_IMAGE = "jejak/kafka:4.4.0"
POSTGRES_IMAGE = "jejak/postgres:debian"
KAFKA_PORT, POSTGRES_PORT = 9092, 5432
START_SECONDS = 90


class Container:
    """One container whose port is published on 127.0.0.1 at a port chosen beforehand.

    Chosen beforehand, because a broker must tell its clients that address, and because an address
    that the engine picks would change when the container is started again.
    """

    def __init__(self, image: str, port: int, said_when_ready: str) -> None:
        """``port`` is the container's own; it has said ``said_when_ready`` once per start."""
        # The reaper is an image that can't be pulled here; every container is removed by its
        # fixture, and ``engine.sh stop`` removes what a killed test run left.
        testcontainers_config.ryuk_disabled = True
        check_engine(image)
        self.port = free_port()
        self.box = DockerContainer(image).with_bind_ports(port, self.port)
        self._ready = re.escape(said_when_ready)
        self._starts = 0

    def start(self) -> None:
        """Create or start the container again; return when it is ready."""
        self._starts += 1
        ready = re.compile(rf"(?s)(?:{self._ready}.*){{{self._starts}}}")
        wait = LogMessageWaitStrategy(ready).with_startup_timeout(START_SECONDS)
        if self._starts == 1:
            self.box.waiting_for(wait).start()
        else:
            self.box.get_wrapped_container().start()
            wait.wait_until_ready(self.box)

    def stop(self) -> None:
        """End it in order; its files stay."""
        self.box.get_wrapped_container().stop(timeout=30)

    def kill(self) -> None:
        """End it at once (SIGKILL); its files stay."""
        self.box.get_wrapped_container().kill()

    def pause(self) -> None:
        """Freeze every process in it."""
        self.box.get_wrapped_container().pause()

    def resume(self) -> None:
        """Let it go on."""
        self.box.get_wrapped_container().unpause()

    def remove(self) -> None:
        """Remove it and its files."""
        self.box.stop()


class ContainerBroker(Container):
    """A Kafka broker in a container."""

    def __init__(self) -> None:
        super().__init__(KAFKA_IMAGE, KAFKA_PORT, "Kafka Server started")
        self.box.with_env("KAFKA_ADVERTISED", self.bootstrap)

    @property
    def bootstrap(self) -> str:
        """Its address on this machine."""
        return f"127.0.0.1:{self.port}"


class ContainerPostgres(Container):
    """A PostgreSQL in a container."""

    def __init__(self) -> None:
        super().__init__(POSTGRES_IMAGE, POSTGRES_PORT, "ready to accept connections")
        self._password = secrets.token_urlsafe(24)
        self.box.with_env("POSTGRES_PASSWORD", self._password)

    def start(self) -> None:
        """Start it; make the database ``jejak`` the first time."""
        super().start()
        self.create_database("jejak")

    @property
    def dsn(self) -> str:
        """The DSN of the database ``jejak``."""
        return self._dsn_of("jejak")

    def create_database(self, name: str) -> str:
        """Create a database unless it exists; return its DSN."""
        create_database(self._dsn_of("postgres"), name)
        return self._dsn_of(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        drop_database(self._dsn_of("postgres"), name)

    def _dsn_of(self, database: str) -> str:
        return make_conninfo(
            host="127.0.0.1",
            port=self.port,
            user="jejak",
            dbname=database,
            password=self._password,
        )


@contextmanager
def kafka_container() -> Iterator[ContainerBroker]:
    """A running broker, removed afterwards."""
    broker = ContainerBroker()
    try:
        broker.start()
        yield broker
    finally:
        broker.remove()


@contextmanager
def postgres_container() -> Iterator[ContainerPostgres]:
    """A running PostgreSQL, removed afterwards."""
    server = ContainerPostgres()
    try:
        server.start()
        yield server
    finally:
        server.remove()


def check_engine(image: str) -> None:
    """Make sure that an engine answers and has ``image``.

    Raises:
        PartMissing: it does not; says which script of ``deploy/containers`` helps.
    """
    try:
        client = docker.from_env()
    except DockerException as error:
        remedy = 'As root: eval "$(deploy/containers/engine.sh start)"'
        raise PartMissing(part="This test", what="a container engine", remedy=remedy) from error
    try:
        client.images.get(image)
    except ImageNotFound as error:
        remedy = "As root: deploy/containers/images.sh"
        raise PartMissing(part="This test", what=f"the image {image}", remedy=remedy) from error
    except DockerException as error:
        remedy = 'As root: eval "$(deploy/containers/engine.sh start)"'
        raise PartMissing(part="This test", what="a container engine", remedy=remedy) from error
    finally:
        client.close()
