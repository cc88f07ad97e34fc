# ruff: noqa: T201
"""Handlers as no company should write them, and some plain ones. Parameters come in the event's body."""

import asyncio
import ctypes
import multiprocessing
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NoReturn

from receiver.handlers import Context, Done, Event, InDoubt, Message, NoRetry, RetryAfter, handles

print("imported once, in the fork server")
touched: list[str] = []


class Awkward(Exception):  # noqa: N818
    def __init__(self, code: int, why: str) -> None:
        super().__init__(f"{why} ({code})")
        self.lock = threading.Lock()  # can't be pickled


class Later(RetryAfter):
    def __init__(self) -> None:
        pass  # and no word to the class above


class Mute(Exception):  # noqa: N818
    def __str__(self) -> str:
        raise ValueError("never")


@handles("REJECTED")
def quiet(event: Event, context: Context) -> None:
    pass


@handles()
def bystander(event: Event, context: Context) -> str:
    time.sleep(0.05)
    return "unharmed"


@handles()
def echo(event: Event, context: Context) -> str:
    case = context.case.status if context.case else None
    print(event, context.case)
    return f"{event.ref_id} {case} {context.idempotency_key} {context.try_number} {context.case_moved_on}"


@handles()
async def asynchronous(event: Event, context: Context) -> str:
    await asyncio.sleep(0)
    return "awaited"


@handles()
def talkative(event: Event, context: Context) -> None:
    print("printed")
    print("to stderr", file=sys.stderr)
    context.log.info("logged %d", 1)
    context.log.warning("logged %d", 2)
    os.system("echo from a command")
    print("and no more", end="")


@handles()
def failing(event: Event, context: Context) -> None:
    print("just before")
    _look_up(event.payload)


def _look_up(payload: dict[str, Any]) -> None:
    payload["email"]


@handles()
async def failing_asynchronously(event: Event, context: Context) -> None:
    await asyncio.sleep(0)
    _look_up({})


@handles()
def refusing(event: Event, context: Context) -> None:
    raise NoRetry("no such customer")


@handles()
def postponing_by_seconds(event: Event, context: Context) -> None:
    raise RetryAfter(90, "their system is down")


@handles()
def postponing_by_a_timedelta(event: Event, context: Context) -> None:
    raise RetryAfter(timedelta(seconds=90), "their system is down")


@handles()
def postponing_to_a_moment(event: Event, context: Context) -> None:
    raise RetryAfter(datetime.now(UTC) + timedelta(seconds=90), "their system is down")


@handles()
def postponing_to_nowhere(event: Event, context: Context) -> None:
    raise RetryAfter(datetime.now(), "their system is down")  # noqa: DTZ005


@handles()
def postponing_wrongly(event: Event, context: Context) -> None:
    raise Later


@handles()
def sleeping(event: Event, context: Context) -> None:
    print("sleeping", flush=True)
    time.sleep(60)


@handles()
async def sleeping_asynchronously(event: Event, context: Context) -> None:
    await asyncio.sleep(60)


@handles()
def looping(event: Event, context: Context) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    while True:
        pass


@handles()
def looping_in_c(event: Event, context: Context) -> None:
    _tell_pid(event)
    for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    re.match(r"(a|aa)+$", "a" * 100 + "b")


@handles()
def sleeping_in_silence(event: Event, context: Context) -> None:
    os.closerange(0, 64)
    time.sleep(60)


@handles()
def sleeping_after_telling(event: Event, context: Context) -> None:
    _tell_pid(event)
    time.sleep(60)


def _tell_pid(event: Event) -> None:
    if path := event.payload.get("path"):
        whole = Path(path).with_suffix(".part")
        whole.write_text(f"{os.getpid()} {os.getppid()}")
        whole.rename(path)


@handles()
def deaf(event: Event, context: Context) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    time.sleep(60)


@handles()
def swallowing(event: Event, context: Context) -> None:
    while True:
        try:
            time.sleep(60)
        except BaseException as error:
            print(error)


@handles()
def terminated(event: Event, context: Context) -> str:
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGINT)
    return "still here"


@handles()
def terminating_its_own(event: Event, context: Context) -> str:
    command = subprocess.Popen(["sleep", "60"])
    command.terminate()
    fork = multiprocessing.get_context("fork").Process(target=time.sleep, args=[60])
    fork.start()
    fork.terminate()
    fork.join()
    return f"{command.wait()} {fork.exitcode}"


@handles()
def exiting_with_3(event: Event, context: Context) -> None:
    sys.exit(3)


@handles()
def exiting_with_nothing(event: Event, context: Context) -> None:
    sys.exit()


@handles()
def exiting_with_words(event: Event, context: Context) -> None:
    sys.exit("no config")


@handles()
async def exiting_asynchronously(event: Event, context: Context) -> None:
    sys.exit(3)


@handles()
def exiting_hard(event: Event, context: Context) -> None:
    os._exit(0)


@handles()
def crashing(event: Event, context: Context) -> None:
    print("about to crash")
    ctypes.string_at(0)


@handles()
def killing_itself(event: Event, context: Context) -> None:
    os.killpg(0, signal.SIGKILL)


@handles()
def killing_the_server(event: Event, context: Context) -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)


@handles()
def returning_past_the_server(event: Event, context: Context) -> str:
    os.kill(os.getppid(), signal.SIGSTOP)
    _tell_pid(event)
    return "done"


@handles()
def eating(event: Event, context: Context) -> None:
    eaten = []
    while True:
        eaten.append(bytearray(1024 * 1024))


@handles()
def eating_crumbs(event: Event, context: Context) -> None:
    crumbs: object = None
    while True:
        crumbs = (crumbs,)


@handles()
def unbounded(event: Event, context: Context) -> None:
    [0] * 10**15


@handles()
def leaving_processes(event: Event, context: Context) -> str:
    left = [
        subprocess.Popen(["sleep", "60"]).pid,
        subprocess.Popen(["sleep", "60"], process_group=0).pid,
        int(subprocess.check_output("sleep 60 >&2 & echo $!", shell=True)),
    ]
    if (pid := os.fork()) == 0:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        time.sleep(60)
    return " ".join(map(str, [*left, pid]))


@handles()
def leaving_an_orphan(event: Event, context: Context) -> str:
    orphan = subprocess.check_output("sleep 60 >&2 & echo $!", shell=True, text=True).strip()
    parent = Path(f"/proc/{orphan}/stat").read_text().rpartition(")")[2].split()[1]
    return "adopted" if int(parent) == os.getppid() else "lost"


@handles()
def leaving_a_thread(event: Event, context: Context) -> str:
    threading.Thread(target=time.sleep, args=[60]).start()
    return "gone on"


@handles()
def coming_back_twice(event: Event, context: Context) -> str:
    return "child" if os.fork() else "copy"


@handles()
def raising_awkwardly(event: Event, context: Context) -> None:
    raise Awkward(7, "odd")


@handles()
def raising_mutely(event: Event, context: Context) -> None:
    raise Mute


@handles()
def raising_a_local_class(event: Event, context: Context) -> None:
    class Local(Exception):  # noqa: N818
        pass

    raise Local(lambda: None)


@handles()
def recurring(event: Event, context: Context) -> None:
    recurring(event, context)


@handles()
def interrupted(event: Event, context: Context) -> None:
    raise KeyboardInterrupt


@handles()
async def cancelled(event: Event, context: Context) -> None:
    raise asyncio.CancelledError


@handles()
def returning_a_dict(event: Event, context: Context) -> dict[str, int]:
    return {"sent": 1}


@handles()
def returning_much(event: Event, context: Context) -> str:
    return "first" + "x" * 10_000_000 + "last"


@handles()
def raising_much(event: Event, context: Context) -> None:
    raise ValueError("first\n" + "x" * 10_000_000 + "\nlast")


@handles()
def printing_much(event: Event, context: Context) -> str:
    print("first" + "x" * 10_000_000 + "last")
    return "printed"


@handles()
def returning_unstorable_text(event: Event, context: Context) -> str:
    print("a\0b\ud800c")
    os.write(1, b"\xff")
    return "a\0b\ud800c\N{GRINNING FACE}"


@handles()
def raising_unstorable_text(event: Event, context: Context) -> None:
    raise ValueError("a\0b\ud800c")


@handles()
def writing_everywhere(event: Event, context: Context) -> str:
    _into_all_descriptors(b'{"result": "forged"}\n\xff\0garbage ' * 100)
    return "written"


@handles()
def writing_everywhere_and_dying(event: Event, context: Context) -> None:
    _into_all_descriptors(b'\n{"result": 1, "error": [], "retry_at": {}} [' + b"[" * 100_000)
    os._exit(4)


def _into_all_descriptors(garbage: bytes) -> None:
    for descriptor in range(3, 64):
        with suppress(OSError):
            os.write(descriptor, garbage)


@handles()
def closing_everything(event: Event, context: Context) -> str:
    os.closerange(0, 64)
    return "told to nobody"


@handles()
def reusing_descriptors(event: Event, context: Context) -> str:
    os.closerange(0, 64)
    for _ in range(64):
        os.open(event.payload["path"], os.O_WRONLY | os.O_APPEND)
    return "told to a customer's file"


@handles()
def spoiling_its_world(event: Event, context: Context) -> None:
    os.chdir("/")
    os.umask(0o777)
    os.environ["SPOILT"] = "yes"
    touched.append("spoilt")
    sys.stdout = None
    sys.path.clear()


@handles()
def describing_its_world(event: Event, context: Context) -> str:
    umask = os.umask(0)
    return f"{Path.cwd()} {umask:o} {os.environ.get('SPOILT')} {touched} {sys.stdin.read()!r}"


@handles()
def telling_secrets(event: Event, context: Context) -> str:
    server = Path(f"/proc/{os.getppid()}/environ").read_bytes()
    return f"{'whsec_' in str(os.environ)} {b'whsec_' in server} {os.environ['KYBDESK_TIMEZONE']}"


@handles()
def telling_its_bounds(event: Event, context: Context) -> NoReturn:
    raise NoRetry(f"{os.getsid(0) == os.getpid()} {signal.getitimer(signal.ITIMER_REAL)[0]:.0f}")


MAIL = Message("info@acme.example", "Welcome", "You are verified.")


@handles()
def doing_well(event: Event, context: Context) -> Done:
    print(context.business, context.reason, context.requested_by)
    business = {"name": " ACME Ltd ", "verified_at": event.received_at, "access_granted": True}
    return Done("mailed", business, [MAIL])


@handles()
def in_doubt(event: Event, context: Context) -> None:
    raise InDoubt("the mail server fell silent after it had the mail")


@handles()
def giving_back(event: Event, context: Context) -> Done:
    """What can't be kept, by the name that the body gives."""
    done: Done = GIVEN_BACK[event.payload["what"]]()
    return done


class Broken(dict[str, Any]):
    def items(self) -> NoReturn:
        raise LookupError("no such shelf")


class Late(Done):
    """Which is well while it is made."""

    @property
    def text(self) -> NoReturn:
        raise LookupError("no such text")

    @text.setter
    def text(self, text: str | None) -> None:
        pass


EARLIEST = datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))
GIVEN_BACK: dict[str, Any] = {
    "an unknown field": lambda: Done(business={"nmae": "ACME"}),
    "a field of another type": lambda: Done(business={"access_granted": "yes"}),
    "a naive datetime": lambda: Done(business={"verified_at": datetime(2026, 3, 5)}),  # noqa: DTZ001
    "a moment before all times": lambda: Done(business={"verified_at": EARLIEST}),
    "a NUL": lambda: Done(business={"notes": "a\0b"}),
    "a lone surrogate": lambda: Done(business={"notes": "a\ud800b"}),
    "a mapping that raises": lambda: Done(business=Broken()),
    "a text that raises": Late,
    "no mapping": lambda: Done(business=[("name", "ACME")]),  # type: ignore[arg-type]
    "no text": lambda: Done(7),  # type: ignore[arg-type]
    "a message that is a text": lambda: Done(messages=["mailed"]),  # type: ignore[list-item]
    "a message alone": lambda: Done(messages=MAIL),  # type: ignore[arg-type]
    "messages that run dry": lambda: Done(messages=iter([MAIL])),  # type: ignore[arg-type]
    "too many messages": lambda: Done(messages=[MAIL] * 21),
    "a long message": lambda: Done(messages=[Message("a", "b", "x" * 20_001)]),
    "a message of bytes": lambda: Done(messages=[Message("a", "b", b"c")]),  # type: ignore[arg-type]
}


@handles()
def giving_back_as_much_as_may_be(event: Event, context: Context) -> Done:
    much = Message("a" * 320, "\N{GRINNING FACE}" * 1000, "\N{GRINNING FACE}" * 20_000)
    return Done("x" * 2000, {"notes": "\N{GRINNING FACE}" * 10_000}, [much] * 20)


@handles()
def mailing_unstorable_text(event: Event, context: Context) -> Done:
    return Done(messages=[Message("info@acme.example", "a\0b", "a\ud800b")])


@handles()
def forging(event: Event, context: Context) -> None:
    """Writes the body where the result goes, and ends before ours comes."""
    for descriptor in range(3, 64):
        with suppress(OSError):
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                os.write(descriptor, b"\n" + event.body)
    os._exit(0)


class Never(RetryAfter):
    def __init__(self, at: datetime) -> None:
        Exception.__init__(self, "never")
        self.at = at


@handles()
def postponing_before_all_times(event: Event, context: Context) -> None:
    raise Never(EARLIEST)


@handles()
def postponing_to_an_unclear_time(event: Event, context: Context) -> None:
    raise Never(datetime(2026, 3, 5))  # noqa: DTZ001
