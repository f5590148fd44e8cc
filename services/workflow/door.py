"""The way in to an application's tracking page: see ``shared.web.door``."""

from __future__ import annotations

from collections.abc import Callable

from services.workflow.views import Found, Views
from shared.web import door
from shared.web.door import normal
from shared.web.login import FailedTries

__all__ = ["Door", "normal"]


class Door(door.Door[Found]):
    """Opens an application's tracking page to whoever knows its number and code."""

    def __init__(
        self,
        views: Views,
        secret: str,
        *,
        secure: bool,
        tries: Callable[[], FailedTries] = FailedTries,
    ) -> None:
        """``secret`` signs the cookie; ``secure`` says that people come over https."""
        super().__init__(views.find, secret, name="tracking", secure=secure, tries=tries)
