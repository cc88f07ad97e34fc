"""Handlers of ours, imported as a process of their own imports them: with the settings of one test."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from receiver import handlers
from receiver.handlers import Registry, registering
from tests.account_service import AccountService, account_service

Ship = Callable[..., Any]
ASK_FOR_SETTINGS = ("chosen", "posting")


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ship]:
    """`shipped("forward", KYBDESK_FORWARD_TO=…)` imports that module anew, with these settings and those
    given before. `registering.registry` then holds its handlers alone."""
    imported: set[str] = set()
    monkeypatch.chdir(tmp_path)

    def ship(name: str, **settings: str) -> Any:
        monkeypatch.setattr(registering, "registry", Registry())
        for setting, text in settings.items():
            monkeypatch.setenv(setting, text)
        imported.update((name, *ASK_FOR_SETTINGS))
        _forget(imported)
        return importlib.import_module(f"receiver.handlers.{name}")

    yield ship
    _forget(imported)


def _forget(names: set[str]) -> None:
    for name in names:
        sys.modules.pop(f"receiver.handlers.{name}", None)
        handlers.__dict__.pop(name, None)


@pytest.fixture
def service() -> Iterator[AccountService]:
    with account_service() as service:
        yield service
