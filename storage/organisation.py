"""The street's own tables: areas, groups, people with their posts, units, risk points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import delete, insert, update
from sqlmodel import Session, SQLModel, col, select

from storage.ids import new_id
from storage.tables import Joining, OrgArea, OrgGroup, OrgPerson, OrgPost, OrgRiskPoint, OrgUnit, OrgVersion
from storage.upsert import insert_into

_AT_ONCE: Final = 500  # keys in one statement


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


def linked(session: Session) -> dict[str, str]:
    """Ids of people in the sheets -> those that took their place by a joining code."""
    spent = select(Joining.person_id, Joining.used_by).where(
        col(Joining.used_by).is_not(None), Joining.person_id != ""
    )
    return {imported: real for imported, real in session.exec(spent) if real and real != imported}


def hold(session: Session) -> None:
    """Waits for whoever else writes the organisation, and makes others wait until this transaction ends."""
    statement = insert_into(session, OrgVersion).values(id=1, version=0)
    session.execute(
        statement.on_conflict_do_update(index_elements=["id"], set_={"version": col(OrgVersion.version)})
    )


def replace(
    session: Session,
    *,
    areas: Sequence[Mapping[str, Any]],
    groups: Sequence[Mapping[str, Any]],
    people: Sequence[Mapping[str, Any]],
    units: Sequence[Mapping[str, Any]],
    risk_points: Sequence[Mapping[str, Any]],
) -> None:
    """Makes the tables hold just this; rows that are the same are left alone.

    people: each with `posts`, the main one first, of role, area and unit.
    """
    _sync(session, OrgArea, "code", areas)
    _sync(session, OrgGroup, "id", groups)
    _sync(session, OrgUnit, "code", units)
    _sync(session, OrgRiskPoint, "code", risk_points)
    held = {
        person: [(post.role, post.area, post.unit) for post in posts]
        for person, posts in read(session).posts.items()
    }
    wanted = {
        person["id"]: [(post["role"], post["area"], post["unit"]) for post in person["posts"]]
        for person in people
    }
    stale = [person for person in held if held[person] != wanted.get(person)]
    _delete(session, OrgPost, "person_id", stale)
    _sync(session, OrgPerson, "id", [{"id": person["id"], "name": person["name"]} for person in people])
    posts = [
        {"id": new_id(), "person_id": person, "role": role, "area": area, "unit": unit, "rank": rank}
        for person in wanted
        if held.get(person) != wanted[person]
        for rank, (role, area, unit) in enumerate(wanted[person])
    ]
    if posts:
        session.execute(insert(OrgPost), posts)
    session.expire_all()


def _sync(session: Session, table: type[SQLModel], key: str, wanted: Sequence[Mapping[str, Any]]) -> None:
    column = getattr(table, key)
    held = {getattr(row, key): row.model_dump() for row in session.exec(select(table))}
    _delete(session, table, key, list(held.keys() - {row[key] for row in wanted}))
    if added := [dict(row) for row in wanted if row[key] not in held]:
        session.execute(insert(table), added)
    for row in wanted:
        if row[key] in held and any(held[row[key]][name] != value for name, value in row.items()):
            session.execute(update(table).where(column == row[key]).values(**row))


def _delete(session: Session, table: type[SQLModel], key: str, keys: Sequence[str]) -> None:
    for start in range(0, len(keys), _AT_ONCE):
        session.execute(delete(table).where(getattr(table, key).in_(keys[start : start + _AT_ONCE])))


def has_person(session: Session, person: str) -> bool:
    """Whether the person stands in the tables, not just in the file."""
    return session.get(OrgPerson, person) is not None
