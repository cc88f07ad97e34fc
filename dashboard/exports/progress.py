"""How far exports have come, for the page that asked: by a token that it chose. Kept in this process only: of
several dashboards another one may be asked, which knows nothing; the page then says so."""

import re
from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum

KEPT = 200  # exports: the oldest are forgotten
TOKEN = re.compile("[0-9a-f]{32}")


class State(StrEnum):
    UNDER_WAY = "under way"
    WHOLE = "whole"
    BROKEN_OFF = "broken off"
    STOPPED = "stopped"


class StoppedError(Exception):
    """A person pressed Stop: the connection ends, so that no browser takes what it has for the whole file."""


@dataclass
class Progress:
    by: str
    rows: int = 0
    state: State = State.UNDER_WAY

    def count(self, rows: int) -> None:
        if self.state is State.STOPPED:
            raise StoppedError
        self.rows += rows

    def stop(self) -> None:
        if self.state is State.UNDER_WAY:
            self.state = State.STOPPED

    def end(self, is_whole: bool) -> None:
        if self.state is State.UNDER_WAY:
            self.state = State.WHOLE if is_whole else State.BROKEN_OFF


class Exports:
    def __init__(self) -> None:
        self._by_token: OrderedDict[str, Progress] = OrderedDict()

    def begin(self, token: str, by: str) -> Progress:
        """One without a token, or with a strange one, is followed by nobody."""
        progress = Progress(by)
        if TOKEN.fullmatch(token) and token not in self._by_token:
            self._by_token[token] = progress
            while len(self._by_token) > KEPT:
                self._by_token.popitem(last=False)
        return progress

    def find(self, token: str, by: str) -> Progress | None:
        progress = self._by_token.get(token)
        return progress if progress and progress.by == by else None
