import hashlib
from pathlib import Path

from litestar import get

from dashboard.assets import Assets
from dashboard.headers import CONTENT_SECURITY_POLICY
from tests.dashboard.desk import SAME_ORIGIN, Desk

ASSET = "vendor/htmx-4.0.1.min.js"


@get("/broken", opt={"public": True})
async def broken() -> None:
    raise RuntimeError


REQUESTS = [
    ("GET", "/sign-in", 200),
    ("HEAD", "/sign-in", 200),
    ("GET", "/changed", 303),
    ("GET", "/nowhere", 404),
    ("DELETE", "/sign-in", 405),
    ("POST", "/sign-in", 403),
    ("GET", "/broken", 500),
    ("GET", "/healthz", 200),
    ("GET", f"/static/{ASSET}", 200),
    ("GET", "/static/none.css", 404),
]


def test_every_response_carries_the_security_headers(desk: Desk) -> None:
    desk.app.register(broken)
    for method, path, status in REQUESTS:
        answer = desk.client.request(method, path)
        assert answer.status_code == status
        assert answer.headers.get_list("content-security-policy") == [CONTENT_SECURITY_POLICY]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "server" not in answer.headers


def test_the_policy_allows_nothing_but_our_own_files() -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "frame-ancestors 'none'" in CONTENT_SECURITY_POLICY


def test_pages_are_not_stored_and_vary_by_the_kind_of_request(desk: Desk) -> None:
    for path in ("/sign-in", "/nowhere", "/changed"):
        answer = desk.client.get(path)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["vary"] == "HX-Request-Type"


def test_a_head_request_is_answered_as_get_without_a_body(desk: Desk) -> None:
    answer = desk.client.head("/sign-in")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) == len(desk.client.get("/sign-in").content)


def test_a_vendored_file_is_kept_forever(desk: Desk) -> None:
    answer = desk.client.get(f"/static/{ASSET}")
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"


def test_only_the_address_that_names_this_version_is_kept_forever(tmp_path: Path, desk: Desk) -> None:
    (tmp_path / "css").mkdir()
    (tmp_path / "css/base.css").write_text("body {}")
    desk.app.state.assets = assets = Assets(tmp_path)
    version = hashlib.sha256(b"body {}").hexdigest()[:16]
    assert assets.address("css/base.css") == f"/static/css/base.css?v={version}"
    assert "immutable" in desk.client.get(assets.address("css/base.css")).headers["cache-control"]
    for address in ("/static/css/base.css", "/static/css/base.css?v=another"):
        answer = desk.client.get(address)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")


def test_no_path_leads_out_of_static(desk: Desk) -> None:
    for path in ("../pyproject.toml", "%2e%2e/pyproject.toml", "/etc/passwd", "css/../../pyproject.toml", ""):
        assert desk.get_raw(f"/static/{path}").status_code == 404


def test_signing_in_is_never_stored(desk: Desk) -> None:
    desk.add_user()
    assert desk.sign_in().headers["cache-control"] == "no-store"
    assert desk.client.post("/sign-out", headers=SAME_ORIGIN).headers["cache-control"] == "no-store"
