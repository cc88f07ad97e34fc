"""Some dozens of invented businesses, and how their verification went."""

from dataclasses import dataclass
from random import Random

NAMES = """
    nordlicht-robotics alder-and-finch baltic-grain casa-lumen delta-freight ember-analytics fjord-seafood
    granite-legal harbour-payments iris-dental juniper-textiles kestrel-drones lantern-books maple-mobility
    noble-harvest orchid-clinics pampa-leather quarry-stone ridge-outdoor saffron-kitchen tidewater-marine
    umbra-studios vela-insurance willow-daycare xenon-lighting yarrow-foods zephyr-travel atlas-scaffolding
    bramble-bikes cobalt-mining dune-solar elm-architects foundry-coffee glacier-water hazel-homes
""".split()  # noqa: SIM905  # as a list it would take forty lines

REASONS = ("DOCUMENT_MISMATCH", "DOCUMENT_EXPIRED", "UBO_NOT_VERIFIED", "COMPANY_NOT_ACTIVE")

# Each a way through the statuses; what stands twice is twice as common.
WAYS = (
    ("IN_PROGRESS", "IN_REVIEW", "COMPLETED"),
    ("IN_PROGRESS", "IN_REVIEW", "COMPLETED"),
    ("IN_PROGRESS", "IN_REVIEW", "REJECTED"),
    ("IN_PROGRESS", "IN_REVIEW", "IN_PROGRESS", "IN_REVIEW", "COMPLETED"),
    ("IN_PROGRESS", "IN_REVIEW", "REJECTED", "IN_REVIEW", "COMPLETED"),
    ("IN_PROGRESS", "IN_REVIEW"),
)


@dataclass(frozen=True)
class Move:
    ref_id: str
    status: str
    previous_status: str
    reason: str | None


def history(name: str, number: int, random: Random) -> list[Move]:
    """How one business's verification goes, in order."""
    way = WAYS[number % len(WAYS)]
    previous = ("NOT_STARTED", *way)
    return [
        Move(
            f"{name}-{2000 + number}",
            status,
            before,
            random.choice(REASONS) if status == "REJECTED" else None,
        )
        for status, before in zip(way, previous, strict=False)
    ]
