"""Imports the company's handler modules, and says in words why one can't be imported."""

import importlib
import json
import os
import signal
import subprocess
import sys
import sysconfig
import tempfile
import traceback
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import IO

from receiver.handlers import Handler, Registered, registry, words
from receiver.settings import SettingsError

OURS = str(Path(__file__).resolve().parents[1]) + os.sep
LIBRARIES = tuple(sysconfig.get_path(name) + os.sep for name in ("stdlib", "purelib", "platlib"))
SECRETS = frozenset({"VOVE_WEBHOOK_SECRET", "VOVE_WEBHOOK_SECRET_FILE", "VOVE_API_KEY"})


class HandlersError(Exception):
    """The handler modules cannot be used. The message says which one, why, and where."""


def load(modules: Iterable[str]) -> tuple[Handler, ...]:
    """Import the modules, with the working directory first on `sys.path`; the handlers that they registered.

    Raises HandlersError on the first that cannot be imported, whatever it raises. A module may hang, or end
    the process: to be called only in one that nobody needs.
    """
    here = str(Path.cwd())
    if sys.path[:1] != [here]:
        sys.path.insert(0, here)
    for module in modules:
        try:
            importlib.import_module(module)
        except SettingsError as error:  # one of ours is not set up
            raise HandlersError(f"{module.rpartition('.')[2]}: {error}") from error
        except BaseException as error:  # SystemExit is as good a reason as any
            raise HandlersError(
                f"{module} cannot be imported: {words.of_exception(error)} ({_place(error)})"
            ) from error
    return tuple(registry)


def _place(error: BaseException) -> str:
    """The file and line at fault: of all that the error went through, the innermost of the company's own."""
    if isinstance(error, SyntaxError) and error.filename:
        return _shown(error.filename, error.lineno)
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if not _is_machinery(frame.filename)
    ]
    own = [frame for frame in frames if not frame.filename.startswith(LIBRARIES)] or frames
    if not own:
        return f"looked in {Path.cwd()} and among the installed packages"
    return _shown(own[-1].filename, own[-1].lineno)


def _is_machinery(filename: str) -> bool:
    return filename.startswith((OURS, "<")) or filename == importlib.__file__


def _shown(filename: str, line: int | None) -> str:
    path = Path(filename)
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return f"{shown}, line {line}"


def describe(modules: Iterable[str], timeout: float = 60) -> tuple[Registered, ...]:
    """The handlers that the modules register, found out in a process of its own within `timeout` seconds.

    Raises HandlersError, also where an import hangs, crashes or ends its process. What modules print goes to
    stderr.
    """
    with tempfile.TemporaryFile() as answer:
        process = subprocess.Popen(  # noqa: S603  # our own interpreter and code
            in_python("receiver.handlers.loading", "answer", str(answer.fileno()), *modules),
            stdin=subprocess.DEVNULL,
            stdout=2,
            env=without_secrets(),
            pass_fds=[answer.fileno()],
            start_new_session=True,
        )
        code = _wait_or_end(process, timeout)
        if code is None:
            raise HandlersError(f"Importing the handler modules did not finish within {timeout:g} s")
        return _read(answer, code)


def in_python(module: str, function: str, *arguments: str) -> list[str]:
    """A command that calls our function with these texts, in an interpreter that finds the same modules.

    Not by `-m`, which would look in the working directory first, before we have imported anything: a company
    may well keep a `json.py` or a `receiver/` there.
    """
    path = [entry or str(Path.cwd()) for entry in sys.path]
    start = f"import sys; sys.path[:] = {path!r}; from {module} import {function}; {function}(*sys.argv[1:])"
    return [sys.executable, "-c", start, *arguments]


def without_secrets(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment for processes that run the company's code."""
    return {name: text for name, text in environment.items() if name not in SECRETS}


def _wait_or_end(process: subprocess.Popen[bytes], timeout: float) -> int | None:
    """Its exit code; none: it took too long. Nothing of what it started stays."""
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        return None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _read(answer: IO[bytes], code: int) -> tuple[Registered, ...]:
    answer.seek(0)
    try:
        said = json.load(answer)
    except ValueError:
        raise HandlersError(f"Importing the handler modules failed: {words.of_exit(code)}") from None
    if "error" in said:
        raise HandlersError(said["error"])
    return tuple(
        Registered(**row | {name: tuple(row[name]) for name in ("statuses", "leaving")})
        for row in said["handlers"]
    )


def answer(descriptor: str, *modules: str) -> None:
    """The other side of `describe`: writes what it found to the file, and ends the process."""
    os.set_inheritable(int(descriptor), False)
    try:
        said: dict[str, object] = {"handlers": [_row(handler) for handler in load(modules)]}
    except HandlersError as error:
        said = {"error": str(error)}
    with os.fdopen(int(descriptor), "w", encoding="ascii") as file:
        json.dump(said, file)
    with suppress(Exception):  # a module may have put anything in its place
        sys.stdout.flush()
    os._exit(0)  # not waiting for threads that a module has started


def _row(handler: Handler) -> dict[str, object]:
    return {field.name: getattr(handler, field.name) for field in fields(Registered)}
