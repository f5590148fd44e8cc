"""Structured logs and metrics. Neither ever holds personal data: ids, types and codes only."""

from __future__ import annotations

import logging
import sys

import structlog
from prometheus_client import Counter, Gauge, Histogram

log: structlog.stdlib.BoundLogger = structlog.get_logger("jejak")

APPENDED = Counter("jejak_events_appended_total", "Events made durable", ["service"])
PROJECTED = Counter("jejak_events_projected_total", "Events folded into rows", ["projection"])
REACTED = Counter("jejak_events_reacted_total", "Events dealt with by reactions", ["reactor"])
PARKED = Counter("jejak_events_parked_total", "Events set aside", ["consumer"])
RELAY_GAP = Gauge("jejak_relay_gap", "Committed events that are not on their topic yet")
SWEEP_SECONDS = Histogram("jejak_sla_sweep_seconds", "Time of one sweep for due timers")


def configure_logging(level: str = "INFO", *, json_lines: bool = True) -> None:
    """Send logs to standard error, one line each: JSON for machines, plain for a terminal."""
    renderer = (
        structlog.processors.JSONRenderer() if json_lines else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
