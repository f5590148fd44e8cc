"""Fixtures and options that every test may use."""

from __future__ import annotations

import os

import pytest

pytest_plugins = ["tests.fixtures"]

# Read when gRPC is imported: its handlers run in every process that is forked from here, and a
# server that is started while gRPC's threads are at work could die of them (seen: PostgreSQL, by
# signal 11). Nobody forks to go on using gRPC.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "false"


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a run on CI that skipped a test: what is missing there must be installed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why a run on CI failed although no test did."""
    skipped = terminalreporter.stats.get("skipped", [])
    if os.environ.get("CI") and skipped:
        terminalreporter.write_sep("=", f"{len(skipped)} skipped, and nothing may be on CI")
        for report in skipped:
            terminalreporter.write_line(report.nodeid)
