"""The pages: one file for each noun of the menu, each with its `routes`."""

from typing import Any

from dashboard.pages import (
    businesses,
    cases,
    deliveries,
    handlers,
    imports,
    notices,
    overview,
    reprocesses,
    runs,
    sign_in,
    vove,
)

routes: list[Any] = [
    *sign_in.routes,
    *overview.routes,
    *cases.routes,
    *businesses.routes,
    *imports.routes,
    *deliveries.routes,
    *runs.routes,
    *handlers.routes,
    *reprocesses.routes,
    *vove.routes,
    *notices.routes,
]
