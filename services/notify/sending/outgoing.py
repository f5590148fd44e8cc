"""A message as it goes out: its text in the recipient's language, and an e-mail's papers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from services.notify.channels import Outgoing, Paper
from services.notify.channels.routes import EMAIL
from services.notify.message import Queued, Unknown
from services.notify.rulebook.wording import Templates
from services.notify.sending.outcomes import WRITER
from shared.contracts.notify import MessageQueued
from shared.errors import BadConfiguration
from shared.telemetry import log

Draw = Callable[[MessageQueued], Awaitable[tuple[Paper, ...]]]


async def no_papers(message: MessageQueued) -> tuple[Paper, ...]:
    """Draw nothing."""
    return ()


class Composer:
    """Composes messages."""

    def __init__(self, templates: Templates, papers: Draw = no_papers) -> None:
        """``papers`` draws what goes along with an e-mail."""
        self._templates = templates
        self._papers = papers

    def compose(self, state: Queued | Unknown) -> Outgoing | None:
        """Return the message without papers; None when its template was taken away."""
        message = state.message
        late = isinstance(state, Queued) and state.as_template
        try:
            template = self._templates.get(message.template, message.template_version)
            parameters = {name: message.parameters[name] for name in template.parameters}
        except (BadConfiguration, KeyError):
            log.error("message_template_gone", message_id=message.message_id)
            return None
        return Outgoing(
            message_id=message.message_id,
            recipient=message.recipient,
            language=message.language,
            text=template.render(message.language, parameters),
            template="" if message.audience == WRITER and not late else template.whatsapp,
            parameters=parameters,
            subject=template.render_subject(message.language, parameters),
        )

    async def complete(self, outgoing: Outgoing, message: MessageQueued, channel: str) -> Outgoing:
        """Return the message as ``channel`` carries it: only an e-mail has papers."""
        if channel != EMAIL:
            return outgoing
        return replace(outgoing, papers=await self._papers(message))
