"""Receives VOVE's webhooks and runs the company's handlers. Its rooms, in the order of the data:

settings      the environment and `.env`, read once into one frozen value
app           the public ASGI app: the webhook, `/healthz`, `/readyz`
webhook       one delivery: read, verify, understand, log, answer
verification  is it signed with one of our secrets, and fresh?
event         what do its bytes say?
cases         the rules: a case's events to their order, its status, its gaps
models        the tables
database      engines, pragmas, transactions, migration
ledger        the one write: all waiting deliveries in one durable transaction
handlers      the company's functions: how they register, what they may return or raise
runs          a run's life: dispatch, claim, finish, retry, rescue, re-process, close
worker        the loop that executes runs
executor      one handler call in a process of its own, with a hard deadline
reasons       what the company says of a rejection's reason, and may tell the customer
activity      who did what, on what, why; `casework`: notes on cases, and who sees to one
telling       a person says that a customer was told, where no task did
search        what cases are found by
limits        how long a case may be in a status; `desk_settings`: what else people set
vove          VOVE's own view over its API: compared with ours, adopted on a person's word
retry_after   how long a service asks us to wait
presence      each role's row in `workers`: who is there, since when, with what error
"""

import sys

try:
    import pysqlite3
except ImportError:  # no wheel for this platform: the system's SQLite serves, see database.py
    pass
else:
    # Before anything imports sqlite3: Python links whatever SQLite the system has, and 3.7.0 to 3.51.2
    # can corrupt a WAL database when it is reset. The wheel brings a version in which that is mended.
    sys.modules["sqlite3"] = pysqlite3
    sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2
