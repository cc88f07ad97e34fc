"""Writes to the customer that the business was verified, or why it was not and what to do next."""

from datetime import UTC, datetime

from receiver.handlers import Context, Done, Event, Message, handles
from receiver.handlers.chosen import SETTINGS, required
from receiver.handlers.reach import require_listed
from receiver.mail.choosing import choose, require_may_be_told
from receiver.mail.composing import Sender, compose
from receiver.mail.sending import send
from receiver.mail.server import server_of

SERVER = server_of(SETTINGS, required("KYBDESK_SMTP_HOST", SETTINGS.smtp_host))
SENDER = Sender.of(required("KYBDESK_MAIL_FROM", SETTINGS.mail_from))
SECONDS = SETTINGS.handler_timeout * 0.8  # for sending; what remains is to say in words how it went


@handles("COMPLETED", "REJECTED", once=True, effect="customer", title="Tell the customer")
def notify_customer(event: Event, context: Context) -> Done:
    if context.case_moved_on:
        return Done("Nothing was sent: the case has moved on since")
    if context.said_before:
        return Done("Nothing was sent for this: VOVE said the same before, and the mail belongs to that")
    require_may_be_told(event, context)
    address, letter = choose(event, context, SETTINGS, SENDER.name)
    require_listed(SETTINGS, address, "the customer")
    mail = compose(letter, SENDER, address, context.idempotency_key, datetime.now(UTC))
    # Made before it is sent: what can't be kept as it is must not go out and then fail.
    sent = Message(address, letter.subject, letter.text, letter.language)
    send(mail, SERVER, SECONDS)
    return Done(f"E-mail sent to {address}", messages=[sent])
