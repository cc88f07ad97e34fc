"""Measurements that the decisions rest on; `make bench` repeats the one that the README quotes."""

import receiver  # noqa: F401  # before any sqlite3: whatever is measured runs on one and the same SQLite
