"""A person says that a rejected customer was told, or must not be, where no task is there to be closed."""

from datetime import UTC, datetime
from typing import Any

from litestar import Response, post
from litestar.params import FromQuery
from litestar.response import Redirect

from dashboard.aliases import AnyRequest
from dashboard.auth.guards import may_edit
from dashboard.filters import address, case_path
from dashboard.forms import moment_of, named_case, text_of
from dashboard.pages.case import Typed, show_case
from dashboard.paths import local_path
from receiver.casework import NoteError
from receiver.telling import Report, settle


@post("/cases/telling", guards=[may_edit])
async def create(request: AnyRequest, ref: FromQuery[str] = "") -> Response[Any]:
    """Back to the case; or the form again, as it was typed, where a field is wrong.

    A transaction begins only when the whole form is there: the receiver waits for its end.
    """
    ref_id, form, state = named_case(ref), await request.form(), request.app.state
    how, text, since = (text_of(form.get(name)) for name in ("how", "text", "since"))
    try:
        report = Report(how, text, moment_of(since), by=request.user.email, now=datetime.now(UTC))
    except NoteError as error:
        async with state.readers.begin() as reader:
            return await show_case(request, reader, ref_id, 422, typed_telling=Typed(text, str(error), how))
    async with state.writer.begin() as writer:
        refused = await writer.run_sync(settle, ref_id, report)
    back = local_path(text_of(form.get("next")) or case_path(ref_id))
    return Redirect(f"{address(back, telling=refused)}#statement_customer", status_code=303)


routes = [create]
