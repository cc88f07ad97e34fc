"""Where one can go from every page, and which of these places a page belongs to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """`key` goes there after `g`; `often` puts it into the bar of a phone, the others under "More"."""

    href: str
    name: str
    sign: str
    key: str
    often: bool = False
    also: tuple[str, ...] = ()  # pages that have no entry of their own

    def holds(self, path: str) -> bool:
        return any(path == root or path.startswith(f"{root}/") for root in (self.href, *self.also))


PLACES = (
    Place("/", "Overview", "overview", "o", often=True),
    Place(
        "/cases",
        "Cases",
        "cases",
        "c",
        often=True,
        also=("/businesses", "/adoptions", "/differences", "/case-file", "/case-file.json", "/case-files"),
    ),
    Place("/rejections", "Rejections", "rejected", "r", often=True),
    Place("/deliveries", "Deliveries", "deliveries", "d"),
    Place("/runs", "Runs", "runs", "u", often=True, also=("/batches",)),
    Place("/handlers", "Handlers", "handlers", "h"),
    Place("/activity", "Activity", "activity", "a"),
    Place("/health", "Health", "health", "l"),
)
BELOW = (
    Place("/settings", "Settings", "settings", "s"),
    Place("/users", "Users", "person", "p"),
    Place("/glossary", "Glossary", "glossary", "w"),
)
