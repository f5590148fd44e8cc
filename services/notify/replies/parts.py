"""Wires what answers replies together."""

from __future__ import annotations

from typing import NamedTuple

from services.notify.people.contacts import Contacts
from services.notify.people.persons import Persons
from services.notify.people.recipients import Directory
from services.notify.replies.answers import Answers
from services.notify.replies.correspondents import Correspondents, CorrespondentsProjection
from services.notify.replies.inbox import Inbox
from services.notify.replies.reactions import ReplyReactions
from services.notify.replies.stalls import Stalls
from services.notify.rulebook.rules import Rules
from services.notify.rulebook.wording import Templates
from services.notify.views import MessageViews
from shared.database import Database
from shared.projection import Projector
from shared.reactions import Reactor
from shared.service import Kernel
from shared.topics import NOTIFY, WORKFLOW


class Replies(NamedTuple):
    """Where messages come in, what is known of their writers, and what is done about them."""

    inbox: Inbox
    projector: Projector
    reactor: Reactor


def build_replies(
    kernel: Kernel,
    database: Database,
    *,
    persons: Persons,
    contacts: Contacts,
    directory: Directory,
    rules: Rules,
    templates: Templates,
    available: frozenset[str],
    address: str,
) -> Replies:
    """Return the parts; ``address`` is where the office is found on the web."""
    handler, rows = kernel.handler, Correspondents(database)
    reactions = ReplyReactions(
        handler,
        contacts,
        Answers(handler, templates, contacts, available, kernel.now),
        Stalls(handler, rows, directory, kernel.accounts, persons, rules),
        rows,
        directory,
        kernel.catalogue,
        persons,
        address,
        kernel.now,
    )
    topics = (NOTIFY.name, WORKFLOW.name)
    return Replies(
        Inbox(handler, MessageViews(database), persons, kernel.now),
        Projector(CorrespondentsProjection(kernel.codec, persons), database),
        Reactor("notify.replies", topics, reactions.table(), kernel.codec, database),
    )
