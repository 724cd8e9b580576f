"""One-time codes by which people and groups join, and the wrong ones that were typed.

Of a code only its SHA-256 is kept. A code is too short to hide behind that for ever, but it is worth nothing
once it is used or has expired.
"""

import hashlib
import re
import secrets
import unicodedata
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, select, update
from sqlmodel import Session, col

from storage.tables import Joining, JoiningMiss

# No 0 O 1 I L, which people mix up when they copy; no other vowels either, so that no code is a word.
ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"
_LENGTH = 8
_FORGOTTEN = timedelta(days=30)  # until then who types an old code is told what became of it
_SHAPE = re.compile(rf"[{ALPHABET}]{{4}}[-‐–—_ ]?[{ALPHABET}]{{4}}")


def spelt(text: str) -> str:
    """The code that the text is, in capitals without hyphen, else "". A number alone is none."""
    narrow = unicodedata.normalize("NFKC", text.strip()).upper().strip(" 。.，,!！")
    if len(narrow) > _LENGTH + 1 or not _SHAPE.fullmatch(narrow):
        return ""
    code = "".join(c for c in narrow if c in ALPHABET)
    return "" if code.isdigit() else code


def make(session: Session, now: datetime, lifetime: timedelta, **what: Any) -> str:
    """A new code as it is shown, XXXX-XXXX; what is long over goes at this occasion.

    what: columns of Joining.
    """
    session.execute(delete(Joining).where(col(Joining.expires_at) < now - _FORGOTTEN))
    code = ""
    while not spelt(code):
        code = "".join(secrets.choice(ALPHABET) for _ in range(_LENGTH))
    session.add(Joining(code_hash=_hash(code), made_at=now, expires_at=now + lifetime, **what))
    session.flush()
    return f"{code[:4]}-{code[4:]}"


def find(session: Session, code: str) -> Joining | None:
    """What the code (as `spelt`) was made for, also when it is used up or over."""
    return session.execute(select(Joining).where(col(Joining.code_hash) == _hash(code))).scalar_one_or_none()


def spend(session: Session, code: str, now: datetime, by: str) -> bool:
    """Uses the code up; False when it is used or over. The row decides between two at once."""
    statement = (
        update(Joining)
        .where(
            col(Joining.code_hash) == _hash(code),
            col(Joining.used_at).is_(None),
            col(Joining.expires_at) > now,
        )
        .values(used_at=now, used_by=by)
    )
    return _changed(session, statement) == 1


def open_ones(session: Session, now: datetime, limit: int = 200) -> list[Joining]:
    """Codes that may still be typed, the newest first."""
    wanted = select(Joining).where(col(Joining.used_at).is_(None), col(Joining.expires_at) > now)
    return list(session.execute(wanted.order_by(col(Joining.made_at).desc()).limit(limit)).scalars())


def revoke(session: Session, joining_id: int) -> Joining | None:
    """Takes an unused code back; what it was made for, None where there is no such code any more."""
    row = session.get(Joining, joining_id)
    unused = delete(Joining).where(col(Joining.id) == joining_id, col(Joining.used_at).is_(None))
    return row if _changed(session, unused) == 1 else None


def forget_person(session: Session, person_id: str) -> None:
    """Takes back what is still open for a person whose place is taken."""
    unused = col(Joining.used_at).is_(None)
    session.execute(delete(Joining).where(col(Joining.person_id) == person_id, unused))


def miss(session: Session, account: str, person: str, now: datetime) -> None:
    """Notes a wrong code. What is older than a day goes at this occasion."""
    old = delete(JoiningMiss).where(
        col(JoiningMiss.account) == account, col(JoiningMiss.at) < now - timedelta(days=1)
    )
    session.execute(old)
    session.add(JoiningMiss(account=account, person=person, at=now))
    session.flush()


def barred_until(
    session: Session, account: str, person: str | None, now: datetime, window: timedelta, most: int
) -> datetime | None:
    """Until when nothing more is tried: more than `most` misses within `window`, counted from the last one.

    person: None for everybody's at the account.
    """
    theirs = [col(JoiningMiss.account) == account]
    if person is not None:
        theirs.append(col(JoiningMiss.person) == person)
    last = session.execute(select(func.max(col(JoiningMiss.at))).where(*theirs)).scalar_one()
    if last is None or last + window <= now:
        return None
    counted = (
        select(func.count()).select_from(JoiningMiss).where(*theirs, col(JoiningMiss.at) > last - window)
    )
    return last + window if session.execute(counted).scalar_one() > most else None


def _changed(session: Session, statement: Any) -> int:
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


def _hash(code: str) -> str:
    return hashlib.sha256(f"joining:{code}".encode()).hexdigest()
