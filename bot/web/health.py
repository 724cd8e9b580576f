"""/healthz: for whoever watches the process. Nothing personal, no sign-in."""

from datetime import datetime
from typing import Any

from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from bot.gateways.base import Connection
from bot.web.parts import parts_of, read
from storage import board
from storage.tables import GatewayGap, ReplyState

_BAD = frozenset({Connection.LOST, Connection.REFUSED})


async def healthz(request: web.Request) -> web.Response:
    parts = parts_of(request)
    status = parts.gateway.status
    database = "ok"
    gaps: list[dict[str, Any]] = []
    replies: dict[str, int] = {}
    try:
        gaps, replies = await read(parts, _facts)
    except SQLAlchemyError:
        database = "error"
    own = parts.health()
    ok = database == "ok" and status.connection not in _BAD and not own.get("trouble")
    facts = {
        "status": "ok" if ok else "degraded",
        "gateway": {
            "kind": parts.gateway.name,
            "connection": str(status.connection),
            "since": _iso(status.since),
            "last_message_at": _iso(status.last_message_at),
            "gaps": gaps,
        },
        "database": database,
        "replies": replies,
    }
    return web.json_response(own | facts, status=200 if ok else 503)


def _facts(session: Session) -> tuple[list[dict[str, Any]], dict[str, int]]:
    counts = board.count_unsent(session)
    replies = {"waiting": counts[ReplyState.WAITING], "failed": counts[ReplyState.FAILED]}
    return [_gap(gap) for gap in board.gaps(session, 5)], replies


def _gap(gap: GatewayGap) -> dict[str, Any]:
    return {"began_at": _iso(gap.began_at), "ended_at": _iso(gap.ended_at), "reason": gap.reason}


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
