"""The pages: one file for each noun of the menu, each with its `routes`."""

from typing import Any

from dashboard.pages import cases, deliveries, notices, overview, reprocesses, runs, sign_in

routes: list[Any] = [
    *sign_in.routes,
    *overview.routes,
    *cases.routes,
    *deliveries.routes,
    *runs.routes,
    *reprocesses.routes,
    *notices.routes,
]
