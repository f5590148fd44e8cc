"""One message to one recipient, from the queue to its fate.

Stream: ``message-{message_id}``. Class names are the storage format; see ``registry.event``
before touching anything here.
"""

from __future__ import annotations

from shared.contracts.registry import event
from shared.privacy import Personal


@event("MessageQueued", version=4)
class MessageQueued:
    """A rule decided that somebody is told something.

    ``office`` is whose officers may see it. ``audience`` is ``applicant``, ``officer``,
    ``supervisor``, ``head``, ``group`` or ``writer`` (who wrote to us); ``recipient`` an E.164
    number, an e-mail address or ``group:`` and the provider's id of a group; ``parameters`` fill
    the template at ``template_version``. It waits until ``not_before`` (an ISO 8601 instant, or
    empty). Messages to one person with the same ``digest`` (or none, when empty) may go out as one.
    ``attachment`` names the paper that goes along, or is empty. ``resend_of`` is the message that
    a person ordered to be sent anew, or empty. ``gathers`` are the messages to the same person
    that it tells in their stead; those that it did tell say so themselves (``MessageDigested``).
    """

    application_id: str
    message_id: str
    office: str
    rule: str
    audience: str
    channel: str
    recipient: Personal
    language: str
    template: str
    template_version: int
    parameters: dict[str, Personal]
    not_before: str = ""
    digest: str = ""
    attachment: str = ""
    resend_of: str = ""
    gathers: tuple[str, ...] = ()


@event("MessageAttempted")
class MessageAttempted:
    """A call to the provider is about to be made; recorded before it is."""

    application_id: str
    message_id: str
    channel: str
    attempt: int


@event("MessageSent")
class MessageSent:
    """The provider took the message under ``provider_id``."""

    application_id: str
    message_id: str
    channel: str
    provider_id: str


@event("MessageDelivered")
class MessageDelivered:
    """The provider reports that the message arrived."""

    application_id: str
    message_id: str


@event("MessageRead")
class MessageRead:
    """The provider reports that the recipient opened the message."""

    application_id: str
    message_id: str


@event("MessageFailed")
class MessageFailed:
    """The provider will not deliver; ``reason`` is its code or ours."""

    application_id: str
    message_id: str
    reason: str


@event("MessageOutcomeUnknown")
class MessageOutcomeUnknown:
    """The call broke off: the provider may or may not have the message."""

    application_id: str
    message_id: str
    attempt: int


@event("MessageDeferred")
class MessageDeferred:
    """The provider did not take the message, for sure; it is tried again at ``not_before``.

    ``not_before`` is an ISO 8601 instant; ``reason`` is the provider's code or ours: with
    ``quiet-hours`` nobody was asked, since it came to be due at night, and with ``unknown`` nobody
    knows whether the provider took it, and it goes out once more in the morning.
    """

    application_id: str
    message_id: str
    reason: str
    not_before: str


@event("MessageFellBack")
class MessageFellBack:
    """The first channel failed; the message goes out through another one."""

    application_id: str
    message_id: str
    channel: str
    reason: str


@event("MessageDigested")
class MessageDigested:
    """The message went out as a line of another one, ``into``."""

    application_id: str
    message_id: str
    into: str


@event("MessageReleased")
class MessageReleased:
    """The message may go out from ``not_before`` (an ISO 8601 instant) on, earlier than planned.

    Whoever was told first can't be reached.
    """

    application_id: str
    message_id: str
    not_before: str


@event("MessageSuperseded")
class MessageSuperseded:
    """The permit moved on before the message was sent, so it is not sent."""

    application_id: str
    message_id: str
