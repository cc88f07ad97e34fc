"""The invented VOVE's own view of its cases, over the part of its API that is documented."""

import hmac
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboard.demo.businesses import Business
from dashboard.demo.serving import Answer, Request, Service

PAGE = 20  # cases, where the caller does not say
LARGEST_PAGE = 100


@dataclass(frozen=True)
class _Record:
    id: str
    ref_id: str
    name: str
    status: str
    created_at: datetime
    updated_at: datetime

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "refId": self.ref_id,
            "businessName": self.name,
            "status": self.status,
            "createdAt": self.created_at.isoformat(timespec="milliseconds"),
            "updatedAt": self.updated_at.isoformat(timespec="milliseconds"),
        }


class Records:
    """Of every case, whether its webhooks came or not. Written by VOVE's thread, read by the API's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_ref_id: dict[str, _Record] = {}

    def note(self, one: Business, status: str, at: datetime) -> None:
        with self._lock:
            known = self._by_ref_id.get(one.ref_id)
            self._by_ref_id[one.ref_id] = _Record(
                f"kyb_{one.number:06}",
                one.ref_id,
                one.company.name,
                status,
                known.created_at if known else at,
                at,
            )

    def all(self) -> list[_Record]:
        with self._lock:
            return list(self._by_ref_id.values())


class VoveApi(Service):
    def __init__(self, records: Records, key: str) -> None:
        super().__init__(self._answer)
        self._records = records
        self._key = key

    def _answer(self, request: Request) -> Answer:
        given = request.headers.get("x-api-key", "")
        if not hmac.compare_digest(given.encode(), self._key.encode()):
            return Answer.of_json(401, {"message": "Unauthorized"})
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["kyb", "case"]:
                return self._list(request)
            case "GET", ["kyb", "case", case_id]:
                for record in self._records.all():
                    if record.id == case_id:
                        return Answer.of_json(200, record.as_json())
        return Answer.of_json(404, {"message": "Not found"})

    def _list(self, request: Request) -> Answer:
        try:
            page = max(1, int(request.query.get("page", 1)))
            limit = min(max(1, int(request.query.get("limit", PAGE))), LARGEST_PAGE)
        except ValueError:
            return Answer.of_json(400, {"message": "page and limit must be numbers"})
        search, status = request.query.get("search", "").lower(), request.query.get("status")
        found = [
            record.as_json()
            for record in self._records.all()
            if search in f"{record.ref_id}\n{record.name}".lower() and status in {None, "", record.status}
        ]
        data = found[(page - 1) * limit : page * limit]
        return Answer.of_json(200, {"data": data, "total": len(found), "page": page, "limit": limit})
