"""All pages of supervision."""

from __future__ import annotations

from fastapi import APIRouter

from services.workflow.board import board_pages
from services.workflow.supervision.flow_page import flow_pages
from services.workflow.supervision.list_page import list_pages
from services.workflow.supervision.pace_page import pace_pages
from services.workflow.supervision.stall_page import stall_pages
from services.workflow.supervision.volume_page import volume_pages
from services.workflow.supervision.watch import Watch


def supervision_pages(watch: Watch) -> list[APIRouter]:
    """Return the board and everything behind it."""
    return [
        board_pages(watch),
        list_pages(watch),
        stall_pages(watch),
        pace_pages(watch),
        flow_pages(watch),
        volume_pages(watch),
    ]
