"""What a company imports to say what shall happen on a case's events.

    from receiver.handlers import handles

    @handles("REJECTED", title="Tell the customer")
    def notify_customer(event, context):
        send_mail(event.ref_id, event.reason, key=context.idempotency_key)
        return "mailed"

Each call has a process of its own, so it may hang, leak or crash; the threads and processes that it leaves
behind end with it. It is called at least once for each event, so it hands `context.idempotency_key` on, or
says `once=True`. It returns None or a short text. Any exception fails the attempt, which is tried again by
the schedule; `TryAgain` says no more than that, `NoRetry`, `RetryAfter` and `InDoubt` say otherwise. What it
prints or logs is kept with the attempt. To change the business's directory entry, or to say what it sent, it
returns `Done`.

values       what a handler is given, and what it gives back
raising      what it raises to say more than that it failed
registering  how functions register
loading      imports the modules, and says in words why one can't be imported
words        what went wrong in them, in words
inventing    an event that never happened
testing      calls one in a company's own test

Shipped, each off until KYBDESK_HANDLERS names it: record_progress, activate_business, notify_customer,
forward. What they share:

chosen       the settings, as their process has them
moves        what they ask and say of a case's moves
reach        outside production, listed addresses only
posting      one signed POST to a service of the company's
answers      what its answer means: done, try again, no use
unreached    why it can't be reached, in words
"""

from receiver.directory.fields import AccountStatus, Business
from receiver.handlers.raising import InDoubt, NoRetry, RetryAfter, TryAgain
from receiver.handlers.registering import Effect, Handler, Registered, Registry, handles, registry, title_of
from receiver.handlers.values import Case, Context, Done, Event, Message, Reason

__all__ = [
    "AccountStatus",
    "Business",
    "Case",
    "Context",
    "Done",
    "Effect",
    "Event",
    "Handler",
    "InDoubt",
    "Message",
    "NoRetry",
    "Reason",
    "Registered",
    "Registry",
    "RetryAfter",
    "TryAgain",
    "handles",
    "registry",
    "title_of",
]
