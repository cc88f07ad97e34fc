"""A delivery as shell commands that send its exact bytes to a test endpoint.

It is signed anew with that endpoint's secret, which whoever runs it sets: none stands here. They are copied
from a page into a terminal, so nothing but printable ASCII stands in them, whatever was delivered.
"""

import base64
import re
import shlex

LONGEST = 64 * 1024  # bytes: more is no longer a line that one pastes
READABLE = 4 * 1024  # bytes that are shown as they are, where they are plain text
ENDPOINT = "http://localhost:8001/webhooks/vove-kyb"
PLACEHOLDER_ID = "msg_test"  # where none was kept

_PLAIN = re.compile(rb"[\x20-\x7e]*")
_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")

COMMANDS = """\
: "${{TEST_SECRET:?set it to the signing secret of the test endpoint, whsec_...}}"
body() {{ {body}; }}
id={svix_id} at=$(date +%s)
key=$(printf %s "${{TEST_SECRET#whsec_}}" | base64 -d | od -An -vtx1 | tr -d ' \\n')
signature=$({{ printf %s.%s. "$id" "$at"; body; }} | \\
  openssl dgst -sha256 -mac HMAC -macopt hexkey:"$key" -binary | base64)
body | curl -i "${{TEST_ENDPOINT:-{endpoint}}}" -H {content_type} \\
  -H "svix-id: $id" -H "svix-timestamp: $at" -H "svix-signature: v1,$signature" --data-binary @-"""


def as_commands(body: bytes, svix_id: str | None, content_type: str | None) -> str | None:
    """For a POSIX shell with curl and openssl; None where the body is too long to paste."""
    if len(body) > LONGEST:
        return None
    return COMMANDS.format(
        body=_printing(body),
        svix_id=svix_id if svix_id and _ID.fullmatch(svix_id) else PLACEHOLDER_ID,
        endpoint=ENDPOINT,
        content_type=shlex.quote(f"content-type: {_plain(content_type) or 'application/json'}"),
    )


def _printing(body: bytes) -> str:
    if len(body) <= READABLE and _PLAIN.fullmatch(body):
        return f"printf %s {shlex.quote(body.decode())}"
    return f"printf %s {base64.b64encode(body).decode()} | base64 -d"


def _plain(text: str | None) -> str | None:
    return text if text and _PLAIN.fullmatch(text.encode()) else None
