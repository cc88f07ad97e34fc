"""What the timestamp tells: a clock that is off, another unit, a time from a sample."""

from collections.abc import Iterator

from dashboard.diagnosis.evidence import Evidence
from dashboard.diagnosis.finding import Finding
from receiver.verification import TOLERANCE

MILLISECONDS = 10**11  # as seconds, that is in the year 5138
KNOWN_CLOCK = 366 * 86400  # seconds: a difference beyond it is no clock's


def at_the_timestamp(evidence: Evidence) -> Iterator[Finding]:
    if evidence.timestamp is not None and evidence.timestamp >= MILLISECONDS:
        yield Finding(
            "timestamp_in_milliseconds",
            "The timestamp is in milliseconds (or finer); Svix sends and signs whole seconds.",
            "In the program that signs, divide by 1000 and drop the fraction before signing: "
            "`Math.floor(Date.now() / 1000)`, `int(time.time())`.",
        )


def at_the_clock(evidence: Evidence) -> Iterator[Finding]:
    off = evidence.seconds_off
    if off is None:
        return
    if abs(off) > KNOWN_CLOCK:
        yield Finding(
            "timestamp_fixed",
            "It is signed for a moment years away: no clock is that wrong.",
            "A test that uses a fixed timestamp (a sample from documentation) has to sign anew with the "
            "present one.",
        )
    elif off > 0:
        yield Finding(
            "clock_behind_or_late",
            f"The clock of the sender and ours differ by {off:,} s: it was signed that long before it came; "
            f"{TOLERANCE} s are allowed.",
            "One of three: our clock is ahead (compare `timedatectl` here), the sender's is behind, or "
            "this is a delivery that was recorded and sent again, which must not be accepted. A proxy "
            "that holds requests back for minutes looks the same.",
        )
    else:
        yield Finding(
            "clock_ahead",
            f"The clock of the sender and ours differ by {-off:,} s: it was signed that long after it came; "
            f"{TOLERANCE} s are allowed.",
            "Our clock is behind, or the sender's is ahead. Svix's clocks are right: set this machine's "
            "by a time server (`timedatectl set-ntp true`).",
        )
