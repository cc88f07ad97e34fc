"""What the company says of a rejection's reason: its label, what it means, what the customer may be told.

describing  label, explanation, "never tell"; what a handler may know of it
texts       the texts for customers, in versions: one person writes, a second one approves
fields      what can be a code, a label, an explanation, a text
"""

from receiver.reasons.describing import (
    Description,
    all_codes,
    describe_reason,
    edit_description,
    find_description,
    find_reason,
    must_not_be_told,
    note_seen,
)
from receiver.reasons.fields import (
    LONGEST_CODE,
    MAX_LABEL,
    checked_explanation,
    checked_label,
    checked_language,
    checked_text,
    code_of,
)
from receiver.reasons.texts import (
    OwnTextError,
    TextVersion,
    WrittenText,
    all_texts,
    approve_text,
    newest_texts,
    replace_text,
    write_text,
)

__all__ = [
    "LONGEST_CODE",
    "MAX_LABEL",
    "Description",
    "OwnTextError",
    "TextVersion",
    "WrittenText",
    "all_codes",
    "all_texts",
    "approve_text",
    "checked_explanation",
    "checked_label",
    "checked_language",
    "checked_text",
    "code_of",
    "describe_reason",
    "edit_description",
    "find_description",
    "find_reason",
    "must_not_be_told",
    "newest_texts",
    "note_seen",
    "replace_text",
    "write_text",
]
