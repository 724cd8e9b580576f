"""One-time links and signed-in browsers. Of every secret only the SHA-256 is kept.

A person's links and sessions carry the person's id, the operator's carry "". What that person may do is asked
of the organisation at each request, not kept here.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import CursorResult, delete, update
from sqlmodel import Session, col, select

from storage.tables import SignIn, WebSession

_SHOWN: Final = 16  # characters of the hash by which a session is called: the cookie is not found by them


def make_link_token(session: Session, now: datetime, lifetime: timedelta, person: str = "") -> str:
    """A new token, good for one sign-in within `lifetime`; a person's earlier ones are good no more.

    Expired rows go at this occasion.
    """
    token = secrets.token_urlsafe(32)
    session.exec(delete(SignIn).where(col(SignIn.expires_at) < now))
    if person:
        session.exec(delete(SignIn).where(col(SignIn.person) == person, col(SignIn.used_at).is_(None)))
    session.add(SignIn(token_hash=_hash(token), person=person, made_at=now, expires_at=now + lifetime))
    session.flush()
    return token


def whose_token(session: Session, token: str, now: datetime) -> str | None:
    """For whom it still is good; None for an unknown, spent or expired one. Nothing is spent."""
    row = session.get(SignIn, _hash(token))
    return row.person if row is not None and row.used_at is None and row.expires_at > now else None


def use_token(session: Session, token: str, now: datetime) -> str | None:
    """Spends the token: for whom it was; None as above. The row decides between two at once."""
    statement = (
        update(SignIn)
        .where(
            col(SignIn.token_hash) == _hash(token),
            col(SignIn.used_at).is_(None),
            col(SignIn.expires_at) > now,
        )
        .values(used_at=now)
    )
    if cast("CursorResult[Any]", session.exec(statement)).rowcount != 1:
        return None
    return session.get_one(SignIn, _hash(token)).person


def make_session(
    session: Session,
    now: datetime,
    lifetime: timedelta,
    longest: timedelta,
    *,
    person: str = "",
    browser: str = "",
    secure: bool = False,
) -> str:
    """A new session's cookie value. Expired sessions go at this occasion.

    lifetime: how long it lasts unused; longest: however much it is used.
    """
    cookie = secrets.token_urlsafe(32)
    session.exec(delete(WebSession).where(col(WebSession.expires_at) < now))
    session.add(
        WebSession(
            token_hash=_hash(cookie),
            person=person,
            browser=browser,
            secure=secure,
            made_at=now,
            used_at=now,
            expires_at=now + min(lifetime, longest),
            ends_at=now + longest,
        )
    )
    session.flush()
    return cookie


def session_of(session: Session, cookie: str, now: datetime) -> WebSession | None:
    """None where there is no such session, or no more."""
    row = session.get(WebSession, _hash(cookie))
    return row if row is not None and row.expires_at > now else None


def renew(session: Session, row: WebSession, now: datetime, lifetime: timedelta) -> datetime:
    """It was used: until when it lasts now."""
    expires_at = min(now + lifetime, row.ends_at)
    session.exec(
        update(WebSession)
        .where(col(WebSession.token_hash) == row.token_hash)
        .values(used_at=now, expires_at=expires_at)
    )
    return expires_at


def end_session(session: Session, cookie: str) -> str | None:
    """Whose it was; None where there was none."""
    return _end(session, session.get(WebSession, _hash(cookie)))


def sessions(session: Session, now: datetime, person: str | None = None) -> Sequence[WebSession]:
    """Who is signed in, the last used first; `person`: only that one's."""
    statement = select(WebSession).where(col(WebSession.expires_at) > now)
    if person is not None:
        statement = statement.where(col(WebSession.person) == person)
    return session.exec(statement.order_by(col(WebSession.used_at).desc(), col(WebSession.token_hash))).all()


def name_of(row: WebSession) -> str:
    """What the session is called where it is listed."""
    return row.token_hash[:_SHOWN]


def end_named(session: Session, name: str, person: str | None = None) -> str | None:
    """Ends the session of that name, with `person` only if it is that one's: whose it was, or None."""
    if len(name) != _SHOWN or not name.isalnum():
        return None
    statement = select(WebSession).where(col(WebSession.token_hash).startswith(name))
    if person is not None:
        statement = statement.where(col(WebSession.person) == person)
    return _end(session, session.exec(statement).first())


def end_all_of(session: Session, person: str) -> int:
    """Ends every session of the person and voids the links: how many sessions."""
    session.exec(delete(SignIn).where(col(SignIn.person) == person))
    ended = session.exec(delete(WebSession).where(col(WebSession.person) == person))
    return cast("CursorResult[Any]", ended).rowcount


def _end(session: Session, row: WebSession | None) -> str | None:
    if row is None:
        return None
    session.exec(delete(WebSession).where(col(WebSession.token_hash) == row.token_hash))
    return row.person


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
