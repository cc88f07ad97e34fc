"""How anybody checks a case file, with tools that every machine has: shown on the page, and run by a test."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """`says` is what its command prints where nothing was changed."""

    what: str
    command: str
    says: str


CHECKS = (
    Check(
        "Every case: is it as it was given out?",
        """python3 -c 'import hashlib, json, sys
for each in json.load(open(sys.argv[1], encoding="utf-8"))["cases"]:
    plain = json.dumps(each["case"], sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(plain.encode()).hexdigest()
    print("unchanged" if digest == each["sha256"] else "CHANGED", digest)' case-file.json""",
        "“unchanged” and the digest, for each case",
    ),
    Check(
        "The first case, without Python",
        "jq -jcSa '.cases[0].case' case-file.json | sha256sum",
        "the digest of the first case",
    ),
    Check(
        "A payload: is it what came? Here the first status change of the first case",
        "jq -j '.cases[0].case.status_changes[0].payload.content' case-file.json | sha256sum",
        "the SHA-256 that stands at the payload, and at each of its deliveries that brought the same bytes",
    ),
)
