"""What the bot asked of one person and waits for: at most one thing in each place."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlmodel import Session, col

from storage.tables import Question

Where = tuple[str, str, str]  # account, room ("" in private), person


def open_ones(session: Session, now: datetime) -> frozenset[Where]:
    """Who was asked something and has not answered. There are few of them at any time."""
    statement = select(col(Question.account), col(Question.room), col(Question.person)).where(
        col(Question.expires_at) > now
    )
    return frozenset((row[0], row[1], row[2]) for row in session.execute(statement))


def of(session: Session, where: Where, now: datetime) -> Question | None:
    """What the person was asked there, while it may be answered."""
    account, room, person = where
    statement = select(Question).where(
        col(Question.account) == account,
        col(Question.room) == room,
        col(Question.person) == person,
        col(Question.expires_at) > now,
    )
    return session.execute(statement).scalars().first()


def put(session: Session, question: Question) -> None:
    """Asks; what the person was asked there before is given up."""
    forget(session, (question.account, question.room, question.person))
    session.add(question)


def forget(session: Session, where: Where) -> None:
    account, room, person = where
    session.execute(
        delete(Question).where(
            col(Question.account) == account, col(Question.room) == room, col(Question.person) == person
        )
    )


def take_lapsed(session: Session, now: datetime, limit: int) -> list[Question]:
    """Those that nobody answered in time, taken out; rows another process holds are passed over."""
    statement = (
        select(Question)
        .where(col(Question.expires_at) <= now)
        .order_by(col(Question.expires_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = list(session.execute(statement).scalars())
    for question in found:
        session.delete(question)
    session.flush()
    return found
