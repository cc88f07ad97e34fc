"""How codes are read out."""

import pytest

from dashboard import words


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("DOCUMENT_MISMATCH", "Document mismatch"),
        ("UBO_NOT_VERIFIED", "UBO not verified"),
        ("VAT_ID_UNKNOWN", "VAT ID unknown"),
        ("Directors differ: A_B", "Directors differ: A_B"),
        ("_", "_"),
        ("", "No reason given"),
        (None, "No reason given"),
    ],
)
def test_a_reason_is_read_as_words(code: str | None, text: str) -> None:
    assert words.reason(code) == text
