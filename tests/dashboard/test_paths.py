"""Paths as they came, over the wire."""

import httpx
import pytest
from litestar import Litestar, get
from litestar.exceptions import NotFoundException

from dashboard.aliases import AnyRequest
from dashboard.paths import ref_id_of
from receiver.settings import Settings
from tests.dashboard.desk import Desk, served

OTHERS = [
    "/lists/01",
    "/lists/+1",
    "/lists/1_0",
    "/lists/-1",
    "/lists/9223372036854775808",
    "//lists",
    "/lists/",
    "/lists//",
    "/%6Cists",
    "/lists%2F1",
    "/lists/1/",
    "/lists//1",
    "/lists/%31",
]


@get("/lists", opt={"public": True})
async def a_list() -> str:
    return "a list"


@get("/lists/{number:int}", opt={"public": True})
async def an_entry() -> str:
    return "an entry"


def test_a_thing_opens_at_its_own_address_and_at_no_other(desk: Desk) -> None:
    desk.app.register(a_list)
    desk.app.register(an_entry)
    for path in ("/lists", "/lists?q=//", "/lists/1"):
        assert desk.get_raw(path).status_code == 200, path
    for path in OTHERS:
        assert desk.get_raw(path).status_code == 404, path


class Asked:
    """Stands for a connection, of which only the raw path is read."""

    def __init__(self, raw_path: bytes) -> None:
        self.scope = {"raw_path": raw_path}


REF_IDS = [
    ("/cases/acme", "acme"),
    ("/cases/a/", "a/"),
    ("/cases/a", "a"),
    ("/cases/a%2Fb", "a/b"),
    ("/cases/a/b", "a/b"),
    ("/cases/a//b", "a//b"),
    ("/cases/%252F", "%2F"),
    ("/cases/a%20b%3Fc%23d", "a b?c#d"),
    ("/cases/a+b", "a+b"),
    ("/cases/%C3%A9", "é"),
    ("/cases/%F0%9F%8F%A6", "🏦"),
]


@pytest.mark.parametrize(("path", "ref_id"), REF_IDS)
def test_a_ref_id_is_unquoted_once(path: str, ref_id: str) -> None:
    assert ref_id_of(Asked(path.encode())) == ref_id  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "path", ["/cases", "/cases/", "/cases%2Facme", "//cases/acme", "/cases/%ff", "/cases/a%00"]
)
def test_what_no_case_could_be_called_is_not_found(path: str) -> None:
    with pytest.raises(NotFoundException):
        ref_id_of(Asked(path.encode()))  # type: ignore[arg-type]


@get("/cases/{ref_id:path}", opt={"public": True})
async def a_case(request: AnyRequest) -> str:
    return ref_id_of(request)


def test_a_ref_id_arrives_over_the_wire_as_it_was_written() -> None:
    app = Litestar([a_case], openapi_config=None)
    with served(app, Settings()) as url, httpx.Client() as client:
        for path, ref_id in REF_IDS:
            assert client.get(httpx.URL(url, raw_path=path.encode())).text == ref_id
