"""Who is on duty."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import Session, col

from storage.tables import Duty


def now_on(session: Session, areas: Collection[str], now: datetime) -> list[Duty]:
    """Those on duty for one of the areas, who began first being first. One indexed query."""
    wanted = select(Duty).where(
        col(Duty.until) > now, col(Duty.since) <= now, col(Duty.area).in_(sorted(areas))
    )
    return list(session.execute(wanted.order_by(col(Duty.since), col(Duty.id))).scalars())


def begin(session: Session, person_id: str, area: str, now: datetime, until: datetime) -> None:
    """Puts somebody on duty for the area; a duty that he has there by now ends with it."""
    end(session, person_id, now, area)
    session.add(Duty(person_id=person_id, area=area, since=now, until=until))
    session.flush()


def end(session: Session, person_id: str, now: datetime, area: str | None = None) -> int:
    """Ends what somebody has of duty (in that area) at this instant; how many there were."""
    running = [col(Duty.person_id) == person_id, col(Duty.until) > now]
    if area is not None:
        running.append(col(Duty.area) == area)
    found = session.execute(select(col(Duty.id)).where(*running)).scalars().all()
    session.execute(update(Duty).where(col(Duty.id).in_(found)).values(until=now))
    return len(found)
