"""What people may do, and whether they may sign in, as words with a sign."""

from enum import StrEnum

from dashboard.auth.users import Role
from dashboard.words import Word

ROLES = {
    Role.VIEWER: Word("Viewer", "in_review", "quiet", "Sees everything, takes files, and changes nothing."),
    Role.OPERATOR: Word(
        "Operator",
        "running",
        "quiet",
        "Also re-processes, closes, pauses, notes, assigns, edits businesses and writes texts for customers.",
    ),
    Role.LEAD: Word("Lead", "completed", "quiet", "Also approves texts, and sets limits and links."),
    Role.ADMIN: Word("Admin", "person", "quiet", "May all of that, and alone says who may sign in."),
}


class Standing(StrEnum):
    ACTIVE = "active"
    INVITED = "invited"  # has no password yet
    DISABLED = "disabled"


STANDINGS = {
    Standing.ACTIVE: Word("Active", "completed", "completed", "May sign in."),
    Standing.INVITED: Word(
        "Has no password yet", "clock", "review", "Chooses one by the link that an administrator gave them."
    ),
    Standing.DISABLED: Word(
        "May not sign in", "closed", "quiet", "An administrator stopped them. What they did stays."
    ),
}


def role_in_words(role: str) -> Word:
    """One of a newer version, as it stands in the table."""
    known = ROLES.get(role)  # type: ignore[call-overload]  # a StrEnum is its text
    return known or Word(role, "unknown", "unknown", "This version of KYB Desk does not know it.")
