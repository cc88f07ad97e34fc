"""A CSV file of businesses: chosen, looked at, and only then imported. Nothing of it is kept in between.

The bytes that were looked at travel in the form that confirms them, and are read again.
"""

import asyncio
import base64
import binascii
import re
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.response import Redirect

from dashboard import changes
from dashboard.aliases import AnyRequest, Reader
from dashboard.auth.guards import may_edit
from dashboard.filters import address
from dashboard.render import render
from receiver.directory import csv_file, importing
from receiver.directory.csv_file import MAX_ROWS, CsvFile
from receiver.directory.csv_text import COLUMNS, FIELDS, MAX_BYTES, Problem
from receiver.directory.importing import Imported

LABELS = {name: label for name, (label, _) in changes.FIELDS.items() if name in FIELDS}
PREVIEWED = 100  # businesses, and problems: more nobody reads
# Of a form: base64 takes a third more, and a file that is somewhat too large is still told its bound.
MAX_BODY = 2 * MAX_BYTES
NO_FILE = CsvFile(problems=[Problem(None, None, "none was chosen")])
MANGLED = CsvFile(problems=[Problem(None, None, "did not come back as it was shown: choose it again")])


@get("/businesses/import", guards=[may_edit])
async def show(request: AnyRequest, reader: Reader) -> Response[str]:
    return await render(
        request,
        reader,
        "businesses/import.html",
        done=_done(request),
        labels=LABELS,
        columns=COLUMNS,
        most_rows=MAX_ROWS,
        most_bytes=MAX_BYTES,
    )


@post("/businesses/import/preview", guards=[may_edit], request_max_body_size=MAX_BODY)
async def preview(request: AnyRequest) -> Response[str]:
    """What the file would change. It writes nothing, and can be repeated."""
    content, file = await _uploaded(request)
    read = NO_FILE if content is None else await asyncio.to_thread(csv_file.read, content)
    return await _preview(request, content or b"", read, file)


@get("/businesses/import/preview", guards=[may_edit])
async def preview_of_nothing() -> Redirect:
    """Who comes back to the preview's address has no file with them."""
    return Redirect("/businesses/import", status_code=303)


@post("/businesses/import", guards=[may_edit], request_max_body_size=MAX_BODY)
async def create(request: AnyRequest) -> Response[Any]:
    """The transaction begins when all is read and checked: the receiver waits for its end."""
    form = await request.form()
    content, file = _confirmed(form.get("content")), _text(form.get("file_name"))
    read = MANGLED if content is None else await asyncio.to_thread(csv_file.read, content)
    if read.problems:
        return await _preview(request, content or b"", read, file)
    async with request.app.state.writer.begin() as writer:
        now = datetime.now(UTC)
        imported = await writer.run_sync(
            importing.import_rows, read.rows, request.user.email, now, file or None
        )
    return Redirect(_done_address(imported), status_code=303)


async def _preview(request: AnyRequest, content: bytes, read: CsvFile, file: str) -> Response[str]:
    async with request.app.state.readers.begin() as reader:
        differences = [] if read.problems else await reader.run_sync(importing.compare, read.rows)
        return await render(
            request,
            reader,
            "businesses/preview.html",
            status=422 if read.problems else 200,
            problems=read.problems[:PREVIEWED],
            problem_count=len(read.problems),
            changing=[each for each in differences if each.is_new or each.changes][:PREVIEWED],
            counts=importing.count(differences),
            spaced=[row.line for row in read.rows if row.ref_id != row.ref_id.strip()][:PREVIEWED],
            content=base64.b64encode(content).decode(),
            file_name=file,
            labels=LABELS,
        )


async def _uploaded(request: AnyRequest) -> tuple[bytes | None, str]:
    """What is in the file, and its name."""
    file = (await request.form()).get("file")
    if not isinstance(file, UploadFile):
        return None, ""
    try:
        return await file.read(), file.filename
    finally:
        await file.close()


def _text(field: object) -> str:
    return field if isinstance(field, str) else ""


def _confirmed(field: object) -> bytes | None:
    try:
        return base64.b64decode(field, validate=True) if isinstance(field, str) else None
    except (binascii.Error, ValueError):
        return None


def _done_address(imported: Imported) -> str:
    counts = {name: count for name, count in asdict(imported).items() if name != "fields"}
    return address("/businesses/import", **counts, **imported.fields)


def _done(request: AnyRequest) -> Imported | None:
    """The address says what was imported, in numbers: anything else in their place says nothing."""
    numbers = {
        name: int(text)
        for name in ("new", "changed", "unchanged", *FIELDS)
        if re.fullmatch("[0-9]{1,6}", text := request.query_params.get(name, ""))
    }
    counts = {name: numbers.pop(name, None) for name in ("new", "changed", "unchanged")}
    if None in counts.values():
        return None
    return Imported(**counts, fields=numbers)  # type: ignore[arg-type]


routes = [show, preview, preview_of_nothing, create]
