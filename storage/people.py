"""Who somebody is: a made-up id becomes the one at the chat network, wherever it stands."""

from sqlalchemy import delete, update
from sqlmodel import Session, SQLModel, col, select

from storage.tables import (
    CareVisit,
    Duty,
    Extension,
    Offer,
    OrgPerson,
    OrgPost,
    Reply,
    ReplyState,
    Ticket,
    TicketUnit,
)

# Where somebody stands who has something in hand, or is asked for something.
_HELD: tuple[tuple[type[SQLModel], str], ...] = (
    (Ticket, "owner"),
    (Ticket, "handler"),
    (Duty, "person_id"),
    (TicketUnit, "unit"),
    (TicketUnit, "person"),
    (Offer, "made_by"),
    (Offer, "taken_by"),
    (Extension, "asked_by"),
    (Extension, "decided_by"),
    (CareVisit, "told_to"),
)


def posts_of(session: Session, person_id: str) -> list[OrgPost]:
    """The main one first."""
    wanted = select(OrgPost).where(OrgPost.person_id == person_id)
    return list(session.exec(wanted.order_by(col(OrgPost.rank), col(OrgPost.id))))


def write_posts(session: Session, person_id: str, posts: list[tuple[str, str, str]]) -> None:
    """Gives the person exactly these posts (role, area, unit), the main one first."""
    session.execute(delete(OrgPost).where(col(OrgPost.person_id) == person_id))
    for rank, (role, area, unit) in enumerate(dict.fromkeys(posts)):
        session.add(OrgPost(person_id=person_id, role=role, area=area, unit=unit, rank=rank))
    session.flush()


def take_place(session: Session, made_up: str, person_id: str) -> None:
    """Removes the made-up person; what was his, tickets above all, is the other's from now on.

    What happened (events, the action log) keeps the id that it happened under.
    """
    session.execute(delete(OrgPost).where(col(OrgPost.person_id) == made_up))
    session.execute(delete(OrgPerson).where(col(OrgPerson.id) == made_up))
    for table, column in _HELD:
        statement = update(table).where(getattr(table, column) == made_up).values({column: person_id})
        session.execute(statement, execution_options={"synchronize_session": False})
    unsaid = (col(Reply.person) == made_up, col(Reply.state) == ReplyState.WAITING)
    session.execute(update(Reply).where(*unsaid).values(person=person_id))
