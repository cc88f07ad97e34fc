"""What the letters say: ours, and a company's own in front of them."""

import re
from pathlib import Path
from typing import Any

import pytest

from receiver.handlers import NoRetry, TryAgain
from receiver.mail.choosing import Addressee
from receiver.mail.templates import SHIPPED, Letter, Templates, one_line

LANGUAGES = ("de", "en", "fr")
KINDS = ("completed", "rejected")
HOSTILE = "<script>alert(1)</script>'\"&{{ 7*7 }}"


def write(
    templates: Templates, kind: str = "rejected", language: str = "en", name: str | None = "Acme", **said: Any
) -> Letter:
    usual = {
        "business": Addressee(name, "ACME-1"),
        "company": "Acme Bank",
        "reason_text": "A document does not match.\n\nPlease send\nit again.",
        "support_url": "https://help.example/?a=1&b=2",
        "status": kind.upper(),
    }
    return templates.write(kind, language, usual | said)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("support_url", ["https://help.example/kyb", None])
@pytest.mark.parametrize("name", ["Acme", None])
def test_text_and_html_say_the_same(
    kind: str, language: str, support_url: str | None, name: str | None
) -> None:
    letter = write(Templates(), kind, language, name, support_url=support_url)
    assert letter.html is not None
    assert f'<html lang="{language}">' in letter.html
    for said in filter(None, (name, "Acme Bank", "ACME-1", support_url, letter.subject)):
        assert said in letter.html
        assert said in letter.text + letter.subject
    assert ("A document does not match." in letter.text) == (kind == "rejected")
    assert ("<p>A document does not match.</p>" in letter.html) == (kind == "rejected")
    assert "None" not in letter.text + letter.html
    assert "\n\n\n" not in letter.text


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.html")), ids=lambda path: path.name)
def test_the_html_fetches_nothing_and_escapes_everything(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<(script|img|link|iframe|object)|@import|url\(|src=", text)
    assert not re.search(r"\|\s*safe|autoescape", text)


def test_hostile_texts_are_text_in_html_and_as_they_are_in_the_text() -> None:
    letter = write(Templates(), name=HOSTILE, reason_text=HOSTILE, company=HOSTILE)
    assert letter.html is not None
    assert "<script" not in letter.html
    assert HOSTILE in letter.text


def test_a_line_of_a_header_is_one_line() -> None:
    assert one_line("a\r\nBcc: x@y.example\u2028\x00b\u202ec") == "a Bcc: x@y.example bc"


def test_a_company_overrides_one_file_and_keeps_the_others(tmp_path: Path) -> None:
    (tmp_path / "rejected.de.html").write_text("<p>{{ reason_text }}</p>")
    (tmp_path / "rejected.pl.txt").write_text("Subject: {{ business.name }}\n\nDzień dobry")
    templates = Templates(tmp_path)
    german = write(templates, language="de")
    assert (german.html or "").startswith("<p>A document")
    assert german.subject == "Wir konnten Ihr Unternehmen nicht verifizieren"
    polish = write(templates, language="pl")
    assert (polish.subject, polish.text, polish.html) == ("Acme", "Dzień dobry\n", None)
    assert templates.languages("rejected") == {"de", "en", "fr", "pl"}
    assert templates.languages("completed") == {"de", "en", "fr"}


def test_our_html_does_not_stand_beside_a_companys_text(tmp_path: Path) -> None:
    (tmp_path / "rejected.de.txt").write_text("Subject: Nein\n\nNein.")
    assert write(Templates(tmp_path), language="de").html is None


def test_one_frame_of_the_companys_frames_all_mails(tmp_path: Path) -> None:
    (tmp_path / "layout.html").write_text("<h1>ours</h1>{% block letter %}{% endblock %}")
    assert "<h1>ours</h1>" in (write(Templates(tmp_path), "completed", "fr").html or "")


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("Subject: x\n\n{% if %}", 3, "Expected an expression"),
        ("Subject: x\n{{ bussiness.name }}", 2, "'bussiness' is undefined"),
        ("Subject: x\n\n\n{{ business.notes }}", 4, "no attribute 'notes'"),
        ("Hello {{ business.name }}", 1, "the first line must be “Subject: …”"),
        ("Subject: {{ '' }}\nHello", 1, "the first line must be “Subject: …”"),
        ("Subject: x\n{{ 1 / 0 }}", 2, "division by zero"),
    ],
)
def test_a_template_at_fault_is_named_with_its_line(tmp_path: Path, text: str, line: int, why: str) -> None:
    path = tmp_path / "rejected.en.txt"
    path.write_text(text)
    with pytest.raises(NoRetry) as said:
        write(Templates(tmp_path))
    assert f"({path}, line {line}: " in str(said.value)
    assert why in str(said.value)


def test_a_frame_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "rejected.en.html").write_text("{% extends 'frame.html' %}")
    with pytest.raises(NoRetry, match="there is no template"):
        write(Templates(tmp_path))


def test_templates_that_are_gone_are_not_replaced_by_ours(tmp_path: Path) -> None:
    with pytest.raises(TryAgain, match="no directory"):
        Templates(tmp_path / "gone").languages("rejected")
