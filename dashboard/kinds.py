"""What people do, as words with a sign, and the part of the page that tells it in a sentence."""

from dashboard.words import Word
from receiver.activity import Kind

KINDS = {
    Kind.NOTED: Word("Note", "about", "quiet", "Somebody wrote a note on a case."),
    Kind.ASSIGNED: Word("Assigned", "person", "quiet", "A case was assigned to somebody, or to nobody."),
    Kind.REPROCESSED: Word("Re-processed", "retry", "quiet", "Somebody asked for one more try of a task."),
    Kind.CLOSED: Word("Closed", "closed", "quiet", "A task was closed without retrying."),
    Kind.TOLD: Word("Told by hand", "completed", "quiet", "A customer was told, or must not be told."),
    Kind.REOPENED: Word("Opened again", "warning", "quiet", "A closed task's failure came back."),
    Kind.BATCH_STARTED: Word("Batch started", "runs", "quiet", "Many tasks were begun on one word."),
    Kind.BATCH_STOPPED: Word("Batch stopped", "cross", "quiet", "What was left of a batch was not done."),
    Kind.PAUSED: Word("Paused", "paused", "quiet", "A handler was stopped: its tasks wait."),
    Kind.RESUMED: Word("Resumed", "running", "quiet", "A handler goes on."),
    Kind.EDITED: Word(
        "Business edited", "cases", "quiet", "What the directory knows of a business was changed."
    ),
    Kind.IMPORTED: Word("Businesses imported", "deliveries", "quiet", "A file of businesses was imported."),
    Kind.ADOPTED: Word("Adopted from VOVE", "repeat", "quiet", "A status was taken over from VOVE."),
    Kind.DESCRIBED: Word("Reason described", "rejected", "quiet", "What the company says of a reason."),
    Kind.TEXT_WRITTEN: Word("Text written", "unreadable", "quiet", "A text for customers, not yet approved."),
    Kind.TEXT_APPROVED: Word("Text approved", "completed", "quiet", "From then on customers read it."),
    Kind.SET: Word("Setting changed", "settings", "quiet", "A limit or a link was set."),
    Kind.EXPORTED: Word("Exported", "deliveries", "quiet", "A list was exported to a file."),
    Kind.CASE_FILE: Word("Case file", "copy", "quiet", "The file of one case or several was given out."),
    Kind.USER_ADDED: Word("User added", "person", "quiet", "Somebody may sign in since then."),
    Kind.ROLE_CHANGED: Word("Role changed", "person", "quiet", "What somebody may do was changed."),
    Kind.USER_DISABLED: Word("Sign-in stopped", "closed", "quiet", "Somebody may not sign in any more."),
    Kind.USER_ENABLED: Word("Sign-in allowed", "completed", "quiet", "Somebody may sign in again."),
    Kind.LINK_MADE: Word("Link given", "next", "quiet", "A link by which somebody chooses a password."),
    Kind.PASSWORD_CHOSEN: Word("Password chosen", "person", "quiet", "Somebody chose one by such a link."),
    Kind.PASSWORD_CHANGED: Word("Password changed", "person", "quiet", "Somebody changed their own."),
}


def kind_in_words(code: str) -> Word:
    """One that a newer version has noted, as it came."""
    known = KINDS.get(code)  # type: ignore[call-overload]  # a StrEnum is its text
    return known or Word(code, "unknown", "quiet", "This version of KYB Desk does not know it.")


def part_of(code: str) -> str:
    """The template that tells it."""
    name = code.replace(" ", "_") if code in KINDS else "other"
    return f"activity/kinds/_{name}.html"
