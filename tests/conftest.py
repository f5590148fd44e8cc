"""Fixtures and options that every test may use."""

pytest_plugins = ["tests.fixtures"]
