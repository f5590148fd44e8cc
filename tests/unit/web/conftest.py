"""The sample application and a browser-like client for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.unit.web.kit import sample_app


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    """An application with sample routes."""
    return sample_app(tmp_path)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client that keeps cookies, as a browser does."""
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client
