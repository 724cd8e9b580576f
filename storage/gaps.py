"""Times in which nobody listened."""

from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import Session, col

from storage.tables import GatewayGap


def begin(session: Session, gateway: str, at: datetime, reason: str) -> None:
    """Opens a gap, unless one is open."""
    if not is_open(session, gateway):
        session.add(GatewayGap(gateway=gateway, began_at=at, reason=reason))
        session.flush()


def end(session: Session, gateway: str, at: datetime) -> None:
    session.execute(
        update(GatewayGap)
        .where(col(GatewayGap.gateway) == gateway, col(GatewayGap.ended_at).is_(None))
        .values(ended_at=at)
    )


def is_open(session: Session, gateway: str) -> bool:
    statement = select(col(GatewayGap.id)).where(
        col(GatewayGap.gateway) == gateway, col(GatewayGap.ended_at).is_(None)
    )
    return session.execute(statement.limit(1)).first() is not None
