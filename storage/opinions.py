"""Which message a second opinion is asked about next, and how many were asked about today."""

from datetime import date, datetime

from sqlalchemy import select
from sqlmodel import Session, col

from storage.tables import OpinionDay, Review, ReviewState
from storage.upsert import insert_into


def claim(session: Session, now: datetime, day: date, per_day: int) -> Review | None:
    """The gravest message that waits and was not asked about; now it was, which the day's budget pays for.

    None where there is none, or where the budget is spent.
    """
    statement = (
        select(Review)
        .where(col(Review.state) == ReviewState.WAITING, col(Review.asked_at).is_(None))
        .order_by(col(Review.urgency).desc(), col(Review.message_id))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    review: Review | None = session.execute(statement).scalars().first()
    if review is None or not _spend(session, day, per_day):
        return None
    review.asked_at = now
    session.add(review)
    return review


def _spend(session: Session, day: date, per_day: int) -> bool:
    """One statement, so that two processes share one budget."""
    if per_day < 1:
        return False
    first = insert_into(session, OpinionDay).values(day=day, asked=1)
    statement = first.on_conflict_do_update(
        index_elements=["day"],
        set_={"asked": col(OpinionDay.asked) + 1},
        where=col(OpinionDay.asked) < per_day,
    ).returning(col(OpinionDay.asked))
    return session.execute(statement).first() is not None
