"""The street's own tables: areas, groups, people with their posts, units, risk points."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from storage.tables import OrgArea, OrgGroup, OrgPerson, OrgPost, OrgRiskPoint, OrgUnit, OrgVersion
from storage.upsert import insert_into


@dataclass(frozen=True, slots=True)
class Rows:
    """Everything; `posts` by person id, the main one first."""

    areas: Sequence[OrgArea]
    groups: Sequence[OrgGroup]
    people: Sequence[OrgPerson]
    posts: dict[str, list[OrgPost]]
    units: Sequence[OrgUnit]
    risk_points: Sequence[OrgRiskPoint]


def read(session: Session) -> Rows:
    """Six queries."""
    posts: dict[str, list[OrgPost]] = {}
    for post in session.exec(select(OrgPost).order_by(col(OrgPost.rank), col(OrgPost.id))):
        posts.setdefault(post.person_id, []).append(post)
    return Rows(
        areas=session.exec(select(OrgArea).order_by(OrgArea.code)).all(),
        groups=session.exec(select(OrgGroup).order_by(OrgGroup.id)).all(),
        people=session.exec(select(OrgPerson).order_by(OrgPerson.id)).all(),
        posts=posts,
        units=session.exec(select(OrgUnit).order_by(OrgUnit.code)).all(),
        risk_points=session.exec(select(OrgRiskPoint).order_by(OrgRiskPoint.code)).all(),
    )


def version(session: Session) -> int:
    """How often the tables were changed."""
    row = session.get(OrgVersion, 1)
    return row.version if row else 0


def changed(session: Session) -> None:
    """To be called with each change: every process then reads the organisation anew within seconds."""
    statement = insert_into(session, OrgVersion).values(id=1, version=1)
    session.execute(
        statement.on_conflict_do_update(index_elements=["id"], set_={"version": col(OrgVersion.version) + 1})
    )
