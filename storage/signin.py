"""One-time links and signed-in browsers. Of every secret only the SHA-256 is kept."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, update
from sqlmodel import Session, col

from storage.tables import SignIn, WebSession


def make_link_token(session: Session, now: datetime, lifetime: timedelta) -> str:
    """A new token, good for one sign-in within `lifetime`. Expired rows go at this occasion."""
    token = secrets.token_urlsafe(32)
    session.exec(delete(SignIn).where(col(SignIn.expires_at) < now))
    session.add(SignIn(token_hash=_hash(token), made_at=now, expires_at=now + lifetime))
    session.flush()
    return token


def use_token(session: Session, token: str, now: datetime) -> bool:
    """Spends the token; False when it is unknown, spent or expired. The row decides between two at once."""
    statement = (
        update(SignIn)
        .where(
            col(SignIn.token_hash) == _hash(token),
            col(SignIn.used_at).is_(None),
            col(SignIn.expires_at) > now,
        )
        .values(used_at=now)
    )
    return cast("CursorResult[Any]", session.exec(statement)).rowcount == 1


def make_session(session: Session, now: datetime, lifetime: timedelta) -> str:
    """A new session's cookie value. Expired sessions go at this occasion."""
    cookie = secrets.token_urlsafe(32)
    session.exec(delete(WebSession).where(col(WebSession.expires_at) < now))
    session.add(WebSession(token_hash=_hash(cookie), made_at=now, expires_at=now + lifetime))
    session.flush()
    return cookie


def session_valid(session: Session, cookie: str, now: datetime) -> bool:
    row = session.get(WebSession, _hash(cookie))
    return row is not None and row.expires_at > now


def end_session(session: Session, cookie: str) -> None:
    session.exec(delete(WebSession).where(col(WebSession.token_hash) == _hash(cookie)))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
