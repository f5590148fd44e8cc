"""Rows as CSV, written as they come: a run over years of permits keeps none of them in memory."""

from __future__ import annotations

import csv
from collections.abc import Callable
from typing import TextIO

from services.workflow.supervision.download import safe
from services.workflow.whatif.turns import Row


def csv_rows(file: TextIO) -> Callable[[Row], object]:
    """Write the head to ``file`` (opened with ``newline=""``) and return what takes rows."""
    writer = csv.writer(file)
    writer.writerow(Row._fields)
    return lambda row: writer.writerow([safe(value) for value in row])
