"""The templates of mails: the company's own, and behind them ours in `templates/mail`.

    rejected.de.txt    the text; its first line is `Subject: …`
    rejected.de.html   the same as HTML
    layout.html        the frame that our HTML stands in

A language has a mail once its text is there. Where the company has written a text and no HTML, the mail goes
out as text alone: our HTML would say something else than the text, which is what the case's page shows.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb
from typing import Any

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateNotFound,
    TemplateSyntaxError,
    select_autoescape,
)

from receiver.handlers.raising import NoRetry, TryAgain

SHIPPED = Path(__file__).resolve().parents[2] / "templates" / "mail"
SUBJECT = re.compile(r"Subject:[ \t]*(\S.*)\n?")
BLANK_LINES = re.compile(r"\n{3,}")
# What would turn a line around, or is no character at all.
UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)


@dataclass(frozen=True)
class Letter:
    """What a mail says; without HTML it is text alone."""

    language: str
    subject: str
    text: str
    html: str | None


class Templates:
    """Those of `own`, a directory of the company's, and ours. Files are read anew for each mail."""

    def __init__(self, own: Path | None = None) -> None:
        self._own = own
        self._directories = [own, SHIPPED] if own else [SHIPPED]
        self._environment = Environment(
            loader=FileSystemLoader(self._directories),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            cache_size=0,
        )
        self._environment.filters["paragraphs"] = paragraphs

    def languages(self, kind: str) -> frozenset[str]:
        """Those in which there is a mail of this kind. Raises TryAgain where the company's are gone."""
        if self._own and not self._own.is_dir():  # it was there at the start, and ours say something else
            raise TryAgain(f"The mail's templates can't be read: there is no directory {self._own}")
        names = (path.name.split(".") for each in self._directories for path in each.glob(f"{kind}.*.txt"))
        return frozenset(language for _, language, *more in names if more == ["txt"])

    def write(self, kind: str, language: str, said: Mapping[str, Any]) -> Letter:
        """Raises NoRetry, with file and line, where a template is at fault."""
        name = f"{kind}.{language}.txt"
        said = {**said, "language": language}
        subject, text = self._split(name, self._render(name, said))
        html = None
        if self._has_html(kind, language):
            html = self._render(f"{kind}.{language}.html", {**said, "subject": subject})
        return Letter(language, subject, text, html)

    def _split(self, name: str, rendered: str) -> tuple[str, str]:
        first = SUBJECT.match(rendered)
        if first is None:
            raise _at_fault(self._path(name), 1, "the first line must be “Subject: …”")
        return one_line(first[1]), BLANK_LINES.sub("\n\n", rendered[first.end() :]).strip() + "\n"

    def _has_html(self, kind: str, language: str) -> bool:
        text, html = self._path(f"{kind}.{language}.txt"), self._path(f"{kind}.{language}.html")
        return html.is_file() and (html.parent != SHIPPED or text.parent == SHIPPED)

    def _path(self, name: str) -> Path:
        return next(
            (path for path in (each / name for each in self._directories) if path.is_file()), Path(name)
        )

    def _render(self, name: str, said: Mapping[str, Any]) -> str:
        with self._in_words(name):
            return self._environment.get_template(name).render(said)

    @contextmanager
    def _in_words(self, name: str) -> Iterator[None]:
        try:
            yield
        except TemplateSyntaxError as error:
            raise _at_fault(error.filename or self._path(name), error.lineno, error.message) from error
        except TemplateNotFound as error:
            raise _at_fault(self._path(name), None, f"there is no template {error}") from error
        except Exception as error:  # a template is code too
            frames = [frame for frame in extract_tb(error.__traceback__) if self._is_ours(frame.filename)]
            path, line = (frames[-1].filename, frames[-1].lineno) if frames else (self._path(name), None)
            raise _at_fault(path, line, str(error) or type(error).__name__) from error

    def _is_ours(self, filename: str) -> bool:
        return Path(filename).parent in self._directories


def _at_fault(path: str | Path, line: int | None, why: str | None) -> NoRetry:
    place = f"{path}, line {line}" if line else str(path)
    return NoRetry(
        f"Nothing was sent: the mail's template is at fault ({place}: {why}). Put it right, then re-process"
    )


def one_line(text: str) -> str:
    return " ".join(UNSEEN.sub("", text).split())


def paragraphs(text: str) -> list[list[str]]:
    """A text's paragraphs, each as its lines, for HTML."""
    return [part.splitlines() for part in re.split(r"\n\s*\n", text.strip())]
