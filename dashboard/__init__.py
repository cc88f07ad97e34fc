"""The pages for the compliance team, and the `kybdesk` command. See the map in `receiver/__init__.py`.

cli           the command; the only place that puts receiver, worker and dashboard together
supervisor    starts the roles as processes, restarts one that dies, ends them in order
app           the internal ASGI app: templates, static files, guards, headers, error pages
auth          who is looking and what they may do
pages         one file for each noun of the menu
queries       every SELECT of the pages
timeline      one case's facts, merged and sorted
live          tells open pages that something changed
words         the code's words as people read them
demo          an invented VOVE, invented businesses, handlers that fail
"""

import receiver  # noqa: F401  # the swap of sqlite3 comes before any other import
