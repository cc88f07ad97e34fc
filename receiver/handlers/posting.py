"""One signed POST to a service of the company's. It raises in words for people, and logs what only the
company's engineers can use."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
from standardwebhooks import Webhook

from receiver.handlers import Context, TryAgain, unreached
from receiver.handlers.answers import Answer, require_done
from receiver.handlers.chosen import SETTINGS
from receiver.handlers.reach import require_listed
from receiver.settings import SettingsError

ANSWER_SHARE = 0.7  # of a try's time, for the service to answer; the try must itself say that it did not
TEXT_SHARE = 0.1  # of a try's time, for the rest of an answer whose status is known
UNTIMED = httpx.Timeout(None)  # httpx's time is between two bytes: a service that drips would never end
LONGEST_READ = 8192  # bytes of an answer's text
CERTIFICATES = httpx.create_ssl_context()  # once: reading them takes longer than most calls


@dataclass(frozen=True)
class Service:
    """Who is called. `name` begins sentences: "The account service"."""

    name: str
    setting: str  # which holds its address
    url: httpx.URL  # without what signs in, which would show in logs
    signs_in: tuple[str, str] | None = field(repr=False)
    secret: str | None = field(repr=False)

    @property
    def place(self) -> str:
        return self.url.netloc.decode()


def service(name: str, setting: str, address: str, secret: str | None) -> Service:
    """Raises SettingsError where the address is none that can be called."""
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, UnicodeError):
        raise SettingsError(f"{setting} holds an address that can't be called") from None
    signs_in = (url.username, url.password) if url.userinfo else None
    return Service(name, setting, url.copy_with(username=None, password=None), signs_in, secret)


async def post(service: Service, body: bytes, message_id: str, context: Context) -> Answer:
    """What the service answered, where that means that it is done.

    Raises NoRetry, RetryAfter or TryAgain.
    """
    require_listed(SETTINGS, str(service.url), service.name)
    answer = await _answer(service, body, _headers(service, body, message_id, context), context)
    delays = SETTINGS.retry_delays[context.try_number - 1 :]
    require_done(service.name, service.setting, answer, delays[0] if delays else 0, datetime.now(UTC))
    return answer


def _headers(service: Service, body: bytes, message_id: str, context: Context) -> dict[str, str]:
    """Of Standard Webhooks, and a key by which a service knows a repeat that is signed anew."""
    now = datetime.now(UTC)
    headers = {
        "content-type": "application/json",
        "accept-encoding": "identity",  # a small answer may unpack to a large one
        "user-agent": "KYB-Desk",
        "idempotency-key": context.idempotency_key,
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
    }
    if service.secret:
        headers["webhook-signature"] = Webhook(service.secret).sign(message_id, now, body.decode())
    return headers


async def _answer(service: Service, body: bytes, headers: dict[str, str], context: Context) -> Answer:
    asyncio.get_running_loop().set_default_executor(_LookUps())
    logging.getLogger("httpx").setLevel(logging.WARNING)  # its lines hold the whole address
    limit = SETTINGS.handler_timeout * ANSWER_SHARE
    shown = service.url.copy_with(query=None)
    try:
        async with httpx.AsyncClient(verify=CERTIFICATES, timeout=UNTIMED, auth=service.signs_in) as client:
            async with asyncio.timeout(limit):
                request = client.build_request("POST", service.url, content=body, headers=headers)
                response = await client.send(request, stream=True)
            answer = await _read(response)
    except TimeoutError as error:
        context.log.info("POST %s: no answer within %g s", shown, limit)
        raise TryAgain(f"{service.name} did not answer within {limit:g} s at {service.place}") from error
    except (httpx.HTTPError, OSError) as error:
        context.log.info("POST %s: %s", shown, unreached.in_detail(error))
        why = unreached.in_words(error)
        raise TryAgain(f"{service.name} can't be reached at {service.place}: {why}") from error
    context.log.info("POST %s: %d %r", shown, answer.status, answer.text)
    return answer


class _LookUps(ThreadPoolExecutor):
    """Look up names of hosts. `asyncio.run` would wait for one that hangs, until the call is killed."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        super().shutdown(wait=False, cancel_futures=cancel_futures)


async def _read(response: httpx.Response) -> Answer:
    """Its status is its answer: what the text does after it, if it only hangs, changes nothing."""
    text = b""
    with suppress(httpx.HTTPError, OSError, TimeoutError):
        async with asyncio.timeout(SETTINGS.handler_timeout * TEXT_SHARE):
            async for part in response.aiter_raw():
                text += part
                if len(text) >= LONGEST_READ:
                    break
    with suppress(httpx.HTTPError, OSError):
        await response.aclose()
    packed = "content-encoding" in response.headers
    return Answer(
        response.status_code,
        response.headers.get("retry-after"),
        "" if packed else text[:LONGEST_READ].decode(errors="replace"),
    )
