"""The street's own: areas, groups, people, units, risk points, and the codes by which they join."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.tables.base import id_column, instant, json_column


class OrgVersion(SQLModel, table=True):
    """One row, `id` 1: raised with each change of the organisation's tables, so that processes reload."""

    __tablename__ = "org_version"
    id: int = Field(default=1, primary_key=True)
    version: int = 0


class OrgArea(SQLModel, table=True):
    """An area; the root, without `parent`, is the street."""

    __tablename__ = "org_area"
    code: str = Field(primary_key=True)
    name: str
    parent: str | None = None
    places: list[Any] = json_column(list)  # as in the organisation file: names, or {"name", "aliases"}
    neighbours: list[str] = json_column(list)


class OrgGroup(SQLModel, table=True):
    """A group bound to an area. `id` is the room's id at the network or, where that is unknown, its topic."""

    __tablename__ = "org_group"
    id: str = Field(primary_key=True)
    topic: str = ""
    kind: str = "residents"
    area: str = ""
    room_known: bool = True  # `id` is the room's id, not just its topic


class OrgPerson(SQLModel, table=True):
    """A person. `id` is the id at the network, or a made one until a joining code is typed."""

    __tablename__ = "org_person"
    id: str = Field(primary_key=True)
    name: str


class OrgPost(SQLModel, table=True):
    """A role of a person in an area or unit. `rank` orders a person's posts, the main one being 0."""

    __tablename__ = "org_post"
    __table_args__ = (UniqueConstraint("person_id", "role", "area", "unit"),)
    id: int = id_column()
    person_id: str = Field(foreign_key="org_person.id", index=True)
    role: str
    area: str = ""
    unit: str = ""  # code of the unit, for role unit
    rank: int = 0


class OrgUnit(SQLModel, table=True):
    """A unit that joins in: police, fire, power ..."""

    __tablename__ = "org_unit"
    code: str = Field(primary_key=True)
    name: str
    kind: str = "other"
    area: str = ""
    aliases: list[str] = json_column(list)


class OrgRiskPoint(SQLModel, table=True):
    """A mapped risk point."""

    __tablename__ = "org_risk_point"
    code: str = Field(primary_key=True)
    name: str
    kind: str = "other"
    area: str = ""
    place: str = ""
    aliases: list[str] = json_column(list)
    latitude: float | None = None  # degrees, WGS 84
    longitude: float | None = None


class Joining(SQLModel, table=True):
    """A one-time code that gives a person a role, or a group its area. Only the code's hash is kept."""

    id: int = id_column()
    code_hash: str = Field(unique=True)
    kind: str  # person, group
    role: str = ""  # of the person
    group_kind: str = ""
    area: str = ""
    unit: str = ""
    name: str = ""  # of the person it is made for, if any
    person_id: str = ""  # of the imported person whose place the typing one takes, if any
    made_by: str
    made_at: datetime = instant()
    expires_at: datetime = instant()
    used_by: str | None = None
    used_at: datetime | None = instant(nullable=True)


class JoiningMiss(SQLModel, table=True):
    """A wrong code that somebody typed: guessing is throttled."""

    __tablename__ = "joining_miss"
    __table_args__ = (Index("ix_joining_miss_person_at", "account", "person", "at"),)
    id: int = id_column()
    account: str
    person: str
    at: datetime = instant()


class Duty(SQLModel, table=True):
    """Somebody is on duty for an area."""

    __table_args__ = (Index("ix_duty_until", "until"),)
    id: int = id_column()
    person_id: str
    area: str
    since: datetime = instant()
    until: datetime = instant()
