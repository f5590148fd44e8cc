"""Puts messages into words: what was said to whom, how it fared, what can be done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.notify.log.lists import Lists, LogRow
from services.notify.log.reasons import Reason, reason_of
from services.notify.log.rights import Right
from services.notify.log.words import STATES, channel_name, recipient_name
from services.notify.message import DECIDER, QUIET_HOURS, NotQueued, message_stream
from services.notify.people.recipients import APPLICANT
from services.notify.rulebook.rules import Rules
from services.notify.rulebook.wording import Templates
from services.notify.rulebook.words import reason_words
from shared.contracts import notify as events
from shared.contracts.notify import MessageQueued, ReplyReceived
from shared.errors import BadConfiguration
from shared.events import Recorded, from_micros
from shared.handle import Handler, Loaded
from shared.offices import Catalogue
from shared.web.i18n import Translator, msg

_HIDDEN = msg("What it says is shown to the office's own officers only.")
_GONE = msg("The wording of this message is no longer on file.")


class Drawing:
    """Tells of messages what a reader has a right to."""

    def __init__(
        self,
        handler: Handler,
        lists: Lists,
        rules: Rules,
        templates: Templates,
        catalogue: Catalogue,
    ) -> None:
        """The rows say which messages; the streams say what was told to whom, ``rules`` why."""
        self._handler = handler
        self._lists = lists
        self._rules = rules
        self._templates = templates
        self._catalogue = catalogue

    def zone(self, office: str) -> ZoneInfo:
        """Return the zone in which an office reads times."""
        return ZoneInfo(self._catalogue.offices[office].zone)

    def text(self, message: MessageQueued, tr: Translator) -> str:
        """Return what was said, in the language in which it was."""
        try:
            template = self._templates.get(message.template, message.template_version)
            return template.render(message.language, message.parameters)
        except (BadConfiguration, KeyError):
            return tr.t(_GONE)

    async def told(
        self, row: LogRow, right: Right, tr: Translator, zone: ZoneInfo
    ) -> dict[str, Any] | None:
        """Return everything that a page says about a message; None before it is in the store."""
        loaded = await self._handler.load(DECIDER, message_stream(row.message_id))
        if isinstance(loaded.state, NotQueued):
            return None
        sent, reason = loaded.state.message, reason_of(row.code)
        word, tone = STATES[row.state]
        bad = row.state in ("failed", "unknown")
        return {
            "id": row.message_id,
            "number": row.number,
            "when": tr.datetime(from_micros(row.queued_us), zone),
            "to": recipient_name(sent.audience, sent.recipient, tr),
            "channel": channel_name(loaded.state.channel, tr),
            "language": sent.language if right.words else tr.lang,
            "text": self.text(sent, tr) if right.words else tr.t(_HIDDEN),
            "hidden": not right.words,
            "reason": reason_words(self._rules, row.rule, tr),
            "state": tr.t(word),
            "tone": tone,
            "why": tr.t(reason.why) if bad else "",
            "code": row.code if bad else "",
            "todo": tr.t(reason.todo) if bad and not row.resend_id else "",
            "twice": bool(row.resent),
            "anew": bool(sent.resend_of),
            "followed": bool(row.resend_id),
            "again": right.resend and bad and reason.again and not row.resend_id,
            "correct": right.correct and _another_number(row, sent, reason),
            "steps": list(self._steps(loaded, tr, zone)),
            "answers": [one async for one in self._answers(row.message_id, right, tr, zone)],
        }

    def _steps(
        self, loaded: Loaded[Any], tr: Translator, zone: ZoneInfo
    ) -> Iterator[tuple[str, str]]:
        """Yield when and what, of everything that happened to a message."""
        for recorded in loaded.events:
            said = self._said(recorded, tr, zone)
            if said:
                yield tr.datetime(recorded.occurred_at, zone), said

    def _said(self, recorded: Recorded, tr: Translator, zone: ZoneInfo) -> str:
        match self._handler.codec.decode(recorded):
            case events.MessageQueued(not_before=wait, channel=channel) if wait:
                when = tr.datetime(datetime.fromisoformat(wait), zone)
                how = channel_name(channel, tr)
                return tr.t("Queued for {channel}, not before {when}", channel=how, when=when)
            case events.MessageQueued(channel=channel):
                return tr.t("Queued for {channel}", channel=channel_name(channel, tr))
            case events.MessageAttempted(channel=channel, attempt=attempt):
                how = channel_name(channel, tr)
                return tr.t("Handed to {channel}, try {n}", channel=how, n=attempt)
            case events.MessageSent():
                return tr.t("Taken by the provider")
            case events.MessageDelivered():
                return tr.t("Delivered")
            case events.MessageRead():
                return tr.t("Read")
            case events.MessageFailed(reason=reason):
                why = tr.t(reason_of(reason).why)
                return tr.t("Not delivered: {why} ({code})", why=why, code=reason)
            case events.MessageOutcomeUnknown():
                return tr.t("No answer came: nobody knows whether it went out")
            case events.MessageDeferred(not_before=wait, reason=reason):
                when = tr.datetime(datetime.fromisoformat(wait), zone)
                if reason == QUIET_HOURS:
                    return tr.t("It is night: held until {when}", when=when)
                return tr.t("To be tried again from {when} ({code})", when=when, code=reason)
            case events.MessageFellBack(channel=channel, reason=reason):
                how = channel_name(channel, tr)
                return tr.t("Goes on to {channel} ({code})", channel=how, code=reason)
            case events.MessageDigested():
                return tr.t("Sent together with others")
            case events.MessageReleased():
                return tr.t("Moved up: the one before can't be reached")
            case events.MessageSuperseded():
                return tr.t("Not sent: the file had moved on")
            case _:
                return ""

    async def _answers(self, message_id: str, right: Right, tr: Translator, zone: ZoneInfo) -> Any:
        for reply_id in await self._lists.answers(message_id):
            for recorded in await self._handler.store.read_stream(f"reply-{reply_id}"):
                if recorded.type != "ReplyReceived":
                    continue
                reply: ReplyReceived = self._handler.codec.decode(recorded)
                text = reply.text if right.words else tr.t(_HIDDEN)
                yield tr.datetime(recorded.occurred_at, zone), text


def _another_number(row: LogRow, sent: MessageQueued, reason: Reason) -> bool:
    """Say whether the applicant's right number would get this message to them."""
    open_failure = row.state == "failed" and not row.resend_id and bool(row.number)
    return open_failure and reason.number and sent.audience == APPLICANT
