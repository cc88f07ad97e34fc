"""What a handler is given, and what it gives back."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from receiver.directory.fields import Business, checked


@dataclass(frozen=True)
class Event:
    """One verified message of VOVE's, as it came. All times are aware, in UTC."""

    svix_id: str
    family: str  # "kyb", or another family of VOVE's
    ref_id: str
    status: str
    previous_status: str | None
    reason: str | None  # none: not a rejection, or the sender did not say
    message_at: datetime | None  # when VOVE made the message; none: its id does not tell
    received_at: datetime
    body: bytes  # what was signed

    @property
    def payload(self) -> dict[str, Any]:
        """The body, parsed; a new dict each time. Raises ValueError where it is no JSON object."""
        payload = json.loads(self.body)
        if not isinstance(payload, dict):
            raise ValueError("the body is JSON, but no object")
        return payload


@dataclass(frozen=True)
class Case:
    """A case as it stood when the call began; it may be further on than the event."""

    ref_id: str
    status: str
    reason: str | None
    status_since: datetime
    gap: bool  # a move is missing between its events
    uncertain: bool  # the order of its events is not sure
    began_before: bool  # its first event shows that it began before we listened


@dataclass(frozen=True)
class Reason:
    """What the company says of a rejection's reason."""

    code: str  # VOVE's
    label: str | None = None
    never_tell: bool = False  # to tell the customer could be tipping off
    customer_texts: Mapping[str, str] = field(default_factory=dict)  # what may be said, by language


@dataclass(frozen=True)
class Context:
    """What a handler may want to know beside the event."""

    case: Case | None  # none: the event moves no case, and none is known by its ref_id
    idempotency_key: str  # the same for each retry; a new one where a person repeats a success
    try_number: int  # from 1
    case_moved_on: bool  # the case's state no longer comes from this event
    log: logging.Logger  # from INFO up, kept with the attempt
    business: Business  # what the directory knows; nothing but its ref_id where it knows nothing
    reason: Reason | None = None  # none: the event gives no reason
    requested_by: str | None = None  # the person who asked for this try; none: it came by itself
    said_before: bool = False  # VOVE said the same in another message, for which this was or is being called


@dataclass(frozen=True)
class Message:
    """Something that went out to the business."""

    recipient: str
    subject: str
    text: str
    language: str = "en"
    channel: str = "e-mail"

    def __post_init__(self) -> None:
        for name, most in _MOST.items():
            if not isinstance(text := getattr(self, name), str):
                raise TypeError(f"Message: {name} must be a text, not {type(text).__name__}")
            if len(text) > most:
                raise ValueError(f"Message: {name} is longer than {most:,} characters")


@dataclass(frozen=True)
class Done:
    """What a handler returns that has more to say than a text.

    text      what was done, in a line that people read
    business  fields of the business (see Business) with their new values. They are written to the directory
              in the transaction that records this try: once, however often the handler was called
    messages  what went out to the business: kept with the try, and shown on the case
    """

    text: str | None = None
    business: Mapping[str, Any] = field(default_factory=dict)
    messages: Sequence[Message] = ()

    def __post_init__(self) -> None:
        """Raises FieldError or TypeError, so that a mistake is the try's error, with its line."""
        if self.text is not None and not isinstance(self.text, str):
            raise TypeError(f"Done: the text must be a text, not {type(self.text).__name__}")
        if not isinstance(self.business, Mapping):
            raise TypeError(f"Done: business must be a mapping, not {type(self.business).__name__}")
        if not isinstance(self.messages, list | tuple):
            raise TypeError(f"Done: messages must be a list, not {type(self.messages).__name__}")
        if not all(isinstance(message, Message) for message in self.messages):
            raise TypeError("Done: messages must be Message(…)")
        if len(self.messages) > MAX_MESSAGES:
            raise ValueError(f"Done: more than {MAX_MESSAGES} messages")
        object.__setattr__(self, "business", checked(self.business))


MAX_MESSAGES = 20  # of one try
_MOST = {"recipient": 320, "subject": 1000, "text": 20_000, "language": 35, "channel": 40}  # characters
