"""The frame around errors: who is signed in sees the one that stands around every page, a stranger none."""

import logging

from litestar.connection import ASGIConnection
from litestar.types import Scope

from dashboard.aliases import AnyConnection
from dashboard.auth import sessions
from dashboard.auth.guards import NotSignedIn
from dashboard.auth.origins import is_ours
from dashboard.errors import DATABASE_ERRORS, FRAME
from dashboard.layout import layout
from dashboard.render import wants_part
from dashboard.zones import tell_times_as_chosen

log = logging.getLogger(__name__)

UNFRAMED = (*DATABASE_ERRORS, NotSignedIn)  # nobody could be found, or nobody was


async def find_frame(error: Exception, scope: Scope) -> None:
    """A hook before an error is answered: guards don't run for an address that there is not, and what answers
    can't wait for a database. A stranger costs no look-up. Where it finds nothing, the error stands alone.
    """
    connection: AnyConnection = ASGIConnection(scope)
    if isinstance(error, UNFRAMED) or wants_part(connection) or not is_ours(connection):
        return
    try:
        await _find_frame(connection)
    except Exception as trouble:
        log.warning("An error is shown without its frame: %s", type(trouble).__name__)


async def _find_frame(connection: AnyConnection) -> None:
    token = sessions.token_of(connection)
    if not token:
        return
    async with connection.app.state.readers.connect() as reader:
        user = connection.scope.get("user") or await sessions.find_user(reader, token)
        if user is not None:
            connection.scope[FRAME] = await layout(reader)  # type: ignore[literal-required]
            connection.scope["user"] = user
            await tell_times_as_chosen(connection)
