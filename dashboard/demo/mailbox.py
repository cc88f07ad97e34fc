"""The mailbox of all the businesses at once, as a page: what "went out" to them, read in a browser."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dashboard.assets import Assets
from dashboard.demo.mails import Mail, Mails
from dashboard.demo.serving import Answer, Request, Service
from dashboard.headers import CONTENT_SECURITY_POLICY
from dashboard.render import templates

ROOT = Path(__file__).parents[2]
WAYS = ("html", "text", "headers")  # to look at a mail

FRAMES_OUR_OWN = {"Content-Security-Policy": f"{CONTENT_SECURITY_POLICY}; frame-src 'self'"}
# A mail's HTML stands in a frame of its own, where it can neither run nor fetch anything.
FRAMED = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
}
FRAMED_PAGE = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY.replace(
        "frame-ancestors 'none'", "frame-ancestors 'self'"
    )
}


class Mailbox(Service):
    """`/` lists the mails, `/mails/3` shows one, `/support` is where their link leads."""

    def __init__(self, mails: Mails, dashboard: str, port: int = 0) -> None:
        super().__init__(self._answer, port)
        self._mails = mails
        self._dashboard = dashboard
        self._assets = Assets(ROOT / "static")
        self._templates = templates(ROOT / "templates", self._assets)

    @property
    def support(self) -> str:
        return f"{self.address}/support"

    def _answer(self, request: Request) -> Answer:
        if request.method not in {"GET", "HEAD"}:
            return self._page("demo/missing.html", 405)
        match request.path.strip("/").split("/"):
            case [""]:
                part = request.headers.get("hx-request-type") == "partial"
                kept = self._mails.newest_first()
                return self._page("demo/_mails.html" if part else "demo/index.html", mails=kept)
            case ["mails", mail_id] if mail := self._mails.find(mail_id):
                return self._mail(mail, request.query.get("as", ""))
            case ["mails", mail_id, "html"] if mail := self._mails.find(mail_id):
                return _framed(mail)
            case ["support"]:
                return self._page("demo/support.html", headers=FRAMED_PAGE)
            case ["static", *rest]:
                return self._static("/".join(rest))
        return self._page("demo/missing.html", 404)

    def _mail(self, mail: Mail, chosen: str) -> Answer:
        ways = [way for way in WAYS if way == "headers" or getattr(mail, way) is not None]
        way = chosen if chosen in ways else ways[0]
        return self._page("demo/mail.html", headers=FRAMES_OUR_OWN, mail=mail, way=way, ways=ways)

    def _page(
        self, template: str, status: int = 200, headers: dict[str, str] | None = None, **context: Any
    ) -> Answer:
        page = self._templates.get_template(template)
        text = page.render(dashboard=self._dashboard, now=datetime.now(UTC), **context)
        return Answer(status, text.encode(), "text/html; charset=utf-8", headers or {})

    def _static(self, path: str) -> Answer:
        try:
            asset = self._assets[path]
        except KeyError:
            return self._page("demo/missing.html", 404)
        # Any site's, as a frame in a sandbox is nobody's: the page behind a mail's link stands in one.
        shared = {"Cross-Origin-Resource-Policy": "cross-origin"}
        return Answer(200, asset.content, f"{asset.media_type}; charset=utf-8", shared)


def _framed(mail: Mail) -> Answer:
    return Answer(200, (mail.html or "").encode(), "text/html; charset=utf-8", FRAMED)
