"""What failures to tell a customer are told apart by: each names what is missing, and nobody."""

from receiver.handlers import words

NEVER_TELL, UNCERTAIN = "must never be told", "order not sure"
NO_ADDRESS, NO_REASON = "no address", "no reason"
RECIPIENT_REFUSED, SENDER_REFUSED, MAIL_REFUSED = "recipient refused", "sender refused", "mail refused"
LONGEST_CODE = 150  # characters of a reason's


def no_text(code: str) -> str:
    """For this reason."""
    return f"no text {words.line(code)[:LONGEST_CODE]}"


def all_of(*causes: str) -> str:
    """Of what fails for all of them at once."""
    return ", ".join(causes)
