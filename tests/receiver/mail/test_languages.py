"""In which language a mail goes out."""

import pytest

from receiver.mail.languages import first_in_all, name_of, wished

LETTERS = {"de", "en", "fr"}


@pytest.mark.parametrize(
    ("business", "company", "texts", "chosen"),
    [
        ("de", "fr", {"de", "en", "fr"}, ("de", "de")),
        ("de-at", "fr", {"de", "fr"}, ("de", "de")),
        ("de-at", "fr", {"de-at", "de"}, ("de", "de-at")),  # Austrian words in a German letter are no mixture
        ("de", "fr", {"fr", "en"}, ("fr", "fr")),  # not a German letter around a French text
        ("pl", "fr", {"pl", "en"}, ("en", "en")),  # a text alone is no letter
        (None, "de-ch", {"de"}, ("de", "de")),
        ("de", "de", {"de-at"}, None),
        ("de", "de", set(), None),
    ],
)
def test_the_first_language_wished_for_in_which_all_can_be_said(
    business: str | None, company: str, texts: set[str], chosen: tuple[str, str] | None
) -> None:
    assert first_in_all(wished(business, company), LETTERS, texts) == chosen


def test_a_language_is_named_as_people_do() -> None:
    assert (name_of("de-at"), name_of("sw")) == ("German", "“sw”")
