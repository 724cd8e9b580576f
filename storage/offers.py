"""Orders: tickets offered to a group. The database decides who was first."""

from datetime import datetime

from sqlalchemy import CursorResult, select, update
from sqlmodel import Session, col

from storage.tables import Offer, Ticket

_OPEN = col(Offer.state) == "open"


def take(session: Session, offer_id: int, person: str, name: str, now: datetime) -> bool:
    """Gives the open order to the person. False where somebody else was first, or it is open no more."""
    return _turned(
        session,
        update(Offer)
        .where(col(Offer.id) == offer_id, _OPEN)
        .values(state="taken", taken_by=person, taken_name=name, taken_at=now),
    )


def end(session: Session, ticket_id: int, state: str) -> bool:
    """Ends the ticket's open order, if it has one: expired, withdrawn."""
    return _turned(session, update(Offer).where(col(Offer.ticket_id) == ticket_id, _OPEN).values(state=state))


def give_back(session: Session, offer_id: int) -> bool:
    """Notes that its taker handed it back."""
    taken = col(Offer.state) == "taken"
    return _turned(session, update(Offer).where(col(Offer.id) == offer_id, taken).values(state="returned"))


def _turned(session: Session, statement: object) -> bool:
    session.flush()
    result = session.execute(statement.execution_options(synchronize_session=False))  # type: ignore[attr-defined]
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def last_of(session: Session, ticket_id: int) -> Offer | None:
    """The ticket's newest order, as it is now."""
    statement = select(Offer).where(col(Offer.ticket_id) == ticket_id).order_by(col(Offer.id).desc())
    fresh = statement.limit(1).execution_options(populate_existing=True)
    return session.execute(fresh).scalars().first()


def in_room(session: Session, account: str, room: str, since: datetime, limit: int = 20) -> list[Offer]:
    """The orders of a group made since then, the newest first, one a ticket."""
    statement = (
        select(Offer)
        .where(col(Offer.account) == account, col(Offer.room) == room, col(Offer.made_at) >= since)
        .order_by(col(Offer.id).desc())
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    found: dict[int, Offer] = {}
    for offer in session.execute(statement).scalars():
        found.setdefault(offer.ticket_id, offer)
    return list(found.values())


def due(session: Session, now: datetime, limit: int) -> list[Ticket]:
    """Tickets whose order nobody took in time, locked; those another process holds are passed over."""
    late = select(col(Offer.ticket_id)).where(_OPEN, col(Offer.expires_at) <= now)
    statement = (
        select(Ticket)
        .where(col(Ticket.id).in_(late))
        .order_by(col(Ticket.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(session.execute(statement).scalars())
