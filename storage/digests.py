"""What was posted on a day, once: the digests' texts."""

from datetime import date, datetime

from sqlalchemy import select
from sqlmodel import Session, col

from storage.ids import new_id
from storage.tables import Digest
from storage.upsert import insert_into


def keep(session: Session, scope: str, day: date, text: str, now: datetime) -> bool:
    """Keeps a digest; False where that scope's of the day has been made before, by whichever process."""
    row = insert_into(session, Digest).values(id=new_id(), scope=scope, day=day, text=text, made_at=now)
    statement = row.on_conflict_do_nothing(index_elements=["scope", "day"]).returning(col(Digest.id))
    return session.execute(statement).first() is not None


def is_kept(session: Session, scope: str, day: date) -> bool:
    statement = select(col(Digest.id)).where(col(Digest.scope) == scope, col(Digest.day) == day)
    return session.execute(statement).first() is not None
