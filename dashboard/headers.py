"""What every response carries: pages, files, redirects and errors alike."""

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
)
ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # addresses of pages hold the names of businesses
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
LINKS = "/password/"  # below it an address itself opens something: the next request must not name it


async def add_headers(message: Message, scope: Scope) -> None:
    """A hook before sending: one after the handler would miss raised errors and unknown paths."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    for name, value in ALWAYS.items():
        headers[name] = value
    if scope["path"].startswith(LINKS):
        headers["Referrer-Policy"] = "strict-origin"  # with no-referrer, forms would come from nowhere
    headers.setdefault("Cache-Control", "no-store")
    headers.setdefault("Vary", "HX-Request-Type")
