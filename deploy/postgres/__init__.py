"""A real PostgreSQL from a PyPI wheel, as a child process on 127.0.0.1."""

from deploy.postgres.server import PostgresServer

__all__ = ["PostgresServer"]
