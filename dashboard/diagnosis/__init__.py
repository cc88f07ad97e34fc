"""What was wrong with a delivery, from what the ledger kept of it. Values only.

evidence    what was kept of one delivery
findings    which mistakes were made, in the order in which they tell most; `finding` is one of them
headers     one lost or renamed, another product's
clocks      one that is off, another unit
signing     keys, contents and spellings by which a signature may have been made; which of them made this one
rewriting   the bytes as they may have been before something on the way wrote them anew
mistakes    what each of these means, in words for an engineer
today       does it verify with today's secrets?

Secrets and signatures go in; what comes out holds nothing of them but a secret's fingerprint.
"""

from dashboard.diagnosis.evidence import Evidence
from dashboard.diagnosis.finding import Finding
from dashboard.diagnosis.findings import diagnose
from dashboard.diagnosis.signing import Secret
from dashboard.diagnosis.today import Today, verify_today

__all__ = ["Evidence", "Finding", "Secret", "Today", "diagnose", "verify_today"]
