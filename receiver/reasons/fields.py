"""What can be a code, a label, an explanation, a text. Pure."""

from receiver.directory.fields import LANGUAGE, FieldError
from receiver.event import UNSTORABLE

LONGEST_CODE = 200  # characters: VOVE's are some twenty; a longer one is a text, which nobody can name
MAX_LABEL = 200  # characters
MAX_EXPLANATION = 5_000  # characters
MAX_TEXT = 5_000  # characters: a customer reads it in a mail
MAX_LANGUAGE = 35  # characters, as BCP 47 has it


def code_of(reason: str) -> str:
    """Its first characters: by these a reason is counted, found and described, however long it is."""
    return reason[:LONGEST_CODE]


def checked_label(label: str) -> str:
    """One line, or nothing. Raises FieldError."""
    label = label.strip()
    if len(label) > MAX_LABEL or not label.isprintable():
        raise FieldError("label", f"must be one line of at most {MAX_LABEL} characters")
    return label


def checked_explanation(explanation: str) -> str:
    """Raises FieldError."""
    return _checked("explanation", explanation, MAX_EXPLANATION)


def checked_text(text: str) -> str:
    """Raises FieldError."""
    text = _checked("text", text, MAX_TEXT)
    if not text:
        raise FieldError("text", "is empty")
    return text


def checked_language(language: str) -> str:
    """Raises FieldError."""
    language = language.strip().lower().replace("_", "-")
    if len(language) > MAX_LANGUAGE or not LANGUAGE.fullmatch(language):
        raise FieldError("language", "must be a language code, such as en or pt-br")
    return language


def _checked(name: str, text: str, most: int) -> str:
    text = "\n".join(text.strip().splitlines())
    if UNSTORABLE.search(text):
        raise FieldError(name, "holds a character that can't be stored")
    if len(text) > most:
        raise FieldError(name, f"is longer than {most:,} characters: it has {len(text):,}")
    return text
