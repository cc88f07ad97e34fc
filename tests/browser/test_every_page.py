"""All pages, each with much, with little, with nothing and with what strangers could send: can everybody use
them, does nothing break out, is nothing wider than a phone?"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Dialog, Page
from sqlalchemy import make_url

from dashboard import pages
from dashboard.app import create_app
from receiver.database import Database
from receiver.settings import Settings
from tests.browser.worlds import WORLDS, Ids
from tests.dashboard.desk import EMAIL, PASSWORD, Desk, served
from tests.factories import add_worker, writing

# One line for each page. What stands in braces is named by the world; one that names it not has no such page.
PAGES = [
    "/",
    "/cases",
    "/cases?q=acme",
    "/cases?status=REJECTED&q=nothing-fits-this",
    "/cases?needs=person&sort=age",
    "/cases/{case}",
    "/cases/{case}?order=oldest",
    "/businesses/edit?ref={business}",
    "/businesses/import",
    "/adoptions/{adoption}",
    "/rejections",
    "/rejections/reason?code={code}",
    "/rejections/reason/describe?code={code}",
    "/rejections/reason/text?code={code}&language=en",
    "/rejections/reason/mail?text={text}",
    "/deliveries",
    "/deliveries?verdict=refused",
    "/deliveries/{delivery}",
    "/runs",
    "/runs?tab=person&view=list",
    "/runs?tab=retrying",
    "/runs?tab=done",
    "/runs?failure={failure}",
    "/runs/{run}",
    "/batches",
    "/batches/{draft}",
    "/batches/{under_way}",
    "/batches/{batch}",
    "/handlers",
    "/activity",
    "/activity?kind=noted",
    "/health",
    "/settings",
    "/users",
    "/users/{person}",
    "/password",
    "/password/{link}",
    "/differences",
    "/case-file?ref={case}",
    "/case-files",
    "/glossary",
    "/keys",
    "/nowhere",
]
AT_THE_DOOR = "/sign-in"  # looked at signed out
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CONTRAST = ["color-contrast"]  # all that a theme can change
NO_PAGES = {  # addresses that lead elsewhere, answer with no page, or with one of those above
    "/sign-in": "see test_the_door_is_for_everybody",
    "/businesses/import/preview": "leads back to the import",
    "/cases/assignment": "the case",
    "/cases/notes": "the case",
    "/cases/telling": "the case",
    "/cases/next": "leads to a case",
    "/notices": "a part",
    "/exports/{token:str}": "how far a file has come, for a script",
}
WIDTHS = {"desk": 1440, "tablet": 800, "phone": 390}
PLAIN_ERROR = re.compile(r"status of 404 \(Not Found\)")  # of the page that is meant to be missing
OUTCOME_OF_TEMPLATE = "94011"  # 31337 times 3, see worlds.EVIL


@dataclass(frozen=True)
class World:
    name: str
    ids: Ids
    page: Page
    without_scripts: Page
    complaints: list[str]

    def names_all_of(self, path: str) -> bool:
        return set(re.findall(r"{(\w+)}", path)) <= self.ids.keys()


@pytest.fixture(scope="module", params=WORLDS)
def world(
    request: pytest.FixtureRequest,
    browser: Browser,
    migrated_file: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """Served once for all pages, and seen by one who is signed in, with scripts and without."""
    path = tmp_path_factory.mktemp(request.param) / "world.db"
    path.write_bytes(migrated_file.read_bytes())
    database, settings = Database(make_url(f"sqlite+aiosqlite:///{path}")), Settings()
    app = create_app(settings, database)
    with served(app, settings) as url, browser.new_context(base_url=url) as context:
        Desk(app, database, None).add_user("admin")  # type: ignore[arg-type]
        with writing(database) as connection:
            add_worker(connection, "worker")
            add_worker(connection, "receiver", pid=4712)
            ids = WORLDS[request.param](connection)
        page, complaints = _signed_in(context)
        plain = browser.new_context(
            base_url=url, java_script_enabled=False, storage_state=context.storage_state()
        )
        with plain:
            yield World(request.param, ids, page, plain.new_page(), complaints)


def _signed_in(context: BrowserContext) -> tuple[Page, list[str]]:
    page, complaints = context.new_page(), list[str]()
    page.set_default_timeout(10_000)
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: _note_and_dismiss(dialog, complaints))
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("navigation", name="Main").wait_for()
    return page, complaints


def _note_and_dismiss(dialog: Dialog, complaints: list[str]) -> None:
    complaints.append(f"a dialog: {dialog.message}")
    dialog.dismiss()


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_for_everybody(world: World, path: str) -> None:
    if not world.names_all_of(path):
        pytest.skip("there is no such thing in this world")
    page = world.page
    world.complaints.clear()
    page.set_viewport_size({"width": WIDTHS["desk"], "height": 900})
    page.emulate_media(color_scheme="light")
    answer = page.goto(path.format(**world.ids))
    assert answer is not None
    assert answer.status == (404 if path == "/nowhere" else 200)

    _is_a_page(page)
    _lets_nothing_out(page)
    assert _faults_in_either_theme_and_width(page, thorough=world.name == "much") == []
    assert _wider_than_the_window(page) == []
    _works_without_scripts(world, path)
    assert [each for each in world.complaints if not PLAIN_ERROR.search(each)] == []


def _is_a_page(page: Page) -> None:
    assert page.locator("h1").count() == 1
    assert re.fullmatch(r"(?s)\S.* · KYB Desk", page.title())


def _lets_nothing_out(page: Page) -> None:
    """Mark-up, templates and turning characters are text."""
    text = page.locator("body").inner_text()
    assert OUTCOME_OF_TEMPLATE not in text + page.title()
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u0007]", text + page.title())
    assert page.locator("evil-mark, main script, main img").count() == 0


def _faults_in_either_theme_and_width(page: Page, thorough: bool) -> list[str]:
    """A page of all there is, in every way; what other worlds show of it, in its two most different ones."""
    faults = _faults(page)
    page.emulate_media(color_scheme="dark")
    if thorough:
        faults += _faults(page, CONTRAST)
    page.set_viewport_size({"width": WIDTHS["phone"], "height": 800})
    faults += _faults(page, CONTRAST)
    page.emulate_media(color_scheme="light")
    return faults + (_faults(page) if thorough else [])


def _faults(page: Page, rules: Sequence[str] = ()) -> list[str]:
    """By axe-core, which is brought into the page where it is not there yet: it takes a while."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": TAGS}
    found = page.evaluate(
        "(options) => axe.run(options)", {"runOnly": only, "resultTypes": ["violations"], "elementRef": False}
    )
    return [
        f"{fault['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for fault in found["violations"]
        for node in fault["nodes"][:3]
    ]


def _wider_than_the_window(page: Page) -> list[str]:
    wider = []
    for name, width in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": 900})
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wider.append(name)
    return wider


def _works_without_scripts(world: World, path: str) -> None:
    page = world.without_scripts
    page.goto(path.format(**world.ids))
    assert page.locator("h1").is_visible()
    for form in page.locator("form:not([method=dialog])").all():
        assert form.get_attribute("action"), "a form without scripts needs an address"
        buttons = form.locator("button:not([type=button]), input[type=submit]").count()
        assert buttons or form.get_attribute("id") == "search", form.evaluate("form => form.outerHTML")[:200]


def test_no_page_is_forgotten() -> None:
    """Of each address that is read there is a line above."""
    read = {path for route in pages.routes if "GET" in route.http_methods for path in route.paths}
    listed = {_shape(path) for path in PAGES}
    forgotten = {path for path in read - NO_PAGES.keys() if _shape(path) not in listed}
    assert {path for path in forgotten if not path.endswith((".csv", ".json"))} == set()


def _shape(path: str) -> str:
    return re.sub(r"{[^}]*}", "{}", path.partition("?")[0])


@pytest.mark.parametrize("world", ["empty"], indirect=True)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("wrong", [False, True])
def test_the_door_is_for_everybody(world: World, browser: Browser, scheme: str, wrong: bool) -> None:
    url = world.page.evaluate("location.origin")
    with browser.new_context(base_url=url, color_scheme=scheme) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(AT_THE_DOOR)
        if wrong:
            page.get_by_label("E-mail").fill("ana@example.com")
            page.get_by_label("Password").fill("not this one")
            page.get_by_role("button", name="Sign in").click()
            page.get_by_role("alert").wait_for()
        for width in WIDTHS.values():
            page.set_viewport_size({"width": width, "height": 800})
            assert _faults(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        _is_a_page(page)
