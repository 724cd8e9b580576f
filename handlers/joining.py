"""Joining by a one-time code: a person gets a role, a group its area."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlmodel import Session, select

from handlers import binding
from handlers.context import Context
from handlers.incoming import Incoming, MessageKind
from handlers.organisation import GroupKind, Organisation, Post, Role
from handlers.permissions import Actor
from handlers.records import note
from handlers.replies import answer, place_of, say
from handlers.sight import leads
from handlers.tickets import actor_of
from handlers.wording import clock_of, shorten
from storage import joining as store
from storage import organisation as stored
from storage import people
from storage.joining import spelt
from storage.tables import Joining, OrgPerson, Reply

_LEFT_ALONE = {Role.BOT}


class Wrong(StrEnum):
    """Why no code can be made."""

    ROLE = "role"
    KIND = "kind"
    AREA = "area"
    UNIT = "unit"
    PERSON = "person"  # nobody of that id or name was imported
    NAME = "name"
    NOT_YOURS = "not_yours"  # in an area of which the actor is no coordinator


class BadInvitation(Exception):
    """这样的加入码做不了。"""

    def __init__(self, why: Wrong) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a code is to give: a role to a person, or an area to a group (`kind` is set then).

    person: id or name of an imported person who is to be known by the typing one's id; his posts stay his.
    """

    role: str = ""
    area: str = ""
    unit: str = ""
    name: str = ""
    person: str = ""
    kind: str = ""


def invite(ctx: Context, actor: Actor, wanted: Invitation) -> str:
    """A new code, to be shown once. Raises BadInvitation."""
    columns = _group_code(ctx, wanted) if wanted.kind else _person_code(ctx, wanted)
    if not all(leads(ctx.organisation, actor, area) for area in _given(ctx, columns)):
        raise BadInvitation(Wrong.NOT_YOURS)
    lifetime = timedelta(hours=ctx.rules.joining.code_hours)
    code = store.make(ctx.session, ctx.now, lifetime, made_by=actor.id, **columns)
    told = {name: value for name, value in columns.items() if value and name != "kind"}
    note(ctx, actor, "invite", columns["kind"], after=told)
    return code


def _given(ctx: Context, columns: Mapping[str, str]) -> list[str]:
    """The areas in which a code makes somebody something."""
    person_id = columns.get("person_id", "")
    if not person_id:
        return [columns.get("area", "")]
    return [post.area for post in people.posts_of(ctx.session, person_id)] or [""]


def may_revoke(ctx: Context, actor: Actor, row: Joining) -> bool:
    """Who could have made the code."""
    columns = {"person_id": row.person_id, "area": row.area}
    return all(leads(ctx.organisation, actor, area) for area in _given(ctx, columns))


def _group_code(ctx: Context, wanted: Invitation) -> dict[str, str]:
    if wanted.kind not in list(GroupKind):
        raise BadInvitation(Wrong.KIND)
    return {"kind": "group", "group_kind": wanted.kind, "area": _area(ctx, wanted.area)}


def _person_code(ctx: Context, wanted: Invitation) -> dict[str, str]:
    if wanted.person:
        person_id = _imported(ctx.session, wanted.person)
        if person_id is None:
            raise BadInvitation(Wrong.PERSON)
        return {"kind": "person", "person_id": person_id}
    if wanted.role not in list(Role) or wanted.role in _LEFT_ALONE:
        raise BadInvitation(Wrong.ROLE)
    unit = ctx.organisation.unit_named(wanted.unit) if wanted.unit else None
    if wanted.unit and (unit is None or wanted.role != Role.UNIT):
        raise BadInvitation(Wrong.UNIT)
    if len(wanted.name) > 60:
        raise BadInvitation(Wrong.NAME)
    area = _area(ctx, wanted.area or (unit.area if unit else ""))
    columns = {"kind": "person", "role": wanted.role, "area": area, "name": wanted.name}
    return columns | {"unit": unit.code if unit else ""}


def _area(ctx: Context, asked: str) -> str:
    """By code or name; the street where none is named."""
    areas = ctx.organisation.areas
    if not asked or asked in areas:
        return asked or ctx.organisation.root
    named = [area.code for area in areas.values() if area.name == asked]
    if len(named) != 1:
        raise BadInvitation(Wrong.AREA)
    return named[0]


def _imported(session: Session, asked: str) -> str | None:
    """The id of the person of the database of that id, or of that name if only one has it."""
    if session.get(OrgPerson, asked) is not None:
        return asked
    named = session.exec(select(OrgPerson.id).where(OrgPerson.name == asked).limit(2)).all()
    return named[0] if len(named) == 1 else None


def revoke(ctx: Context, actor: Actor, joining_id: int) -> bool:
    """Takes an unused code back; False where it was used or revoked before, or is not the actor's to take."""
    found = ctx.session.get(Joining, joining_id)
    if found is None or not may_revoke(ctx, actor, found):
        return False
    row = store.revoke(ctx.session, joining_id)
    if row is not None:
        told = {"role": row.role, "group_kind": row.group_kind, "area": row.area, "person": row.person_id}
        note(ctx, actor, "revoke", row.kind, before={name: value for name, value in told.items() if value})
    return row is not None


def code_in(incoming: Incoming) -> str:
    """The code that a message is, and nothing but it; "" for any other."""
    return spelt(incoming.text) if incoming.kind is MessageKind.TEXT else ""


def take(ctx: Context, incoming: Incoming, code: str, *, asked: bool = True) -> None:
    """Does what the code is for, or says why not.

    asked: it was said to the bot. In a group nothing is said to eight characters that are no code at all.
    """
    if _barred(ctx, incoming):
        return
    row = store.find(ctx.session, code)
    if row is None or row.used_at is not None or row.expires_at <= ctx.now:
        _missed(ctx, incoming, row, asked=asked)
    elif row.kind == "group" and incoming.is_private:
        answer(ctx, incoming, ctx.texts("join.in_group"))
    elif row.kind == "group":
        binding.bind(ctx, incoming, row, code)
    elif not incoming.is_private:
        answer(ctx, incoming, ctx.texts("join.in_private"))
    else:
        _join(ctx, incoming, row, code)


def _barred(ctx: Context, incoming: Incoming) -> bool:
    """Whether too much was guessed. Who is turned away is told until when, once."""
    codes, account = ctx.rules.joining, incoming.account
    for person, most in ((incoming.sender, codes.misses), (None, codes.misses_all)):
        until = store.barred_until(ctx.session, account, person, ctx.now, codes.window, most)
        if until is not None:
            key = f"barred:{account}:{incoming.sender}:{int(until.timestamp())}"
            place = place_of(incoming)
            told = select(Reply.id).where(Reply.key == f"{key}:{place.key}")
            if incoming.is_private and ctx.session.exec(told).first() is None:
                text = ctx.texts("join.barred", until=clock_of(ctx, until + timedelta(minutes=1)))
                say(ctx, place, text, key=key, message_id=incoming.row_id)
            return True
    return False


def _missed(ctx: Context, incoming: Incoming, row: Joining | None, *, asked: bool) -> None:
    """A wrong code, or one that is used or over; the one who used it himself has not guessed."""
    if row is None or row.used_by != incoming.sender:
        store.miss(ctx.session, incoming.account, incoming.sender, ctx.now)
        if _barred(ctx, incoming):
            return
    if row is not None:
        answer(ctx, incoming, ctx.texts("join.used" if row.used_at else "join.expired"))
    elif asked:
        answer(ctx, incoming, ctx.texts("join.wrong"))


def _join(ctx: Context, incoming: Incoming, row: Joining, code: str) -> None:
    actor, session = actor_of(ctx, incoming), ctx.session
    gained = _gained(ctx, row)
    if not gained:
        answer(ctx, incoming, ctx.texts("join.gone"))
        return
    held = _held(ctx, incoming.sender)
    if not row.person_id and gained[0] in held:
        answer(ctx, incoming, ctx.texts("join.already", post=post_name(ctx, gained[0])))
        return
    if not store.spend(session, code, ctx.now, incoming.sender):
        answer(ctx, incoming, ctx.texts("join.used"))
        return
    if row.person_id and row.person_id != incoming.sender:
        imported = session.get(OrgPerson, row.person_id)
        name = imported.name if imported else row.name
        people.take_place(session, row.person_id, incoming.sender)
        store.forget_person(session, row.person_id)
    else:
        name = row.name
    name = _keep(ctx, incoming, name)
    people.write_posts(session, incoming.sender, [_as_row(post) for post in _beside(held, gained)])
    stored.changed(session)
    told: Mapping[str, object] = {
        "posts": [post.model_dump(mode="json") for post in gained],
        "made_by": row.made_by,
        "person": row.person_id,
    }
    note(
        ctx,
        actor,
        "join",
        f"person:{incoming.sender}",
        before={"posts": [post.model_dump(mode="json") for post in held]},
        after=told,
        message_id=incoming.row_id,
    )
    values = {"name": name, "post": post_name(ctx, gained[0])}
    answer(ctx, incoming, ctx.texts("join.welcome", **values, can=ctx.texts(f"join.can.{gained[0].role}")))


def _gained(ctx: Context, row: Joining) -> list[Post]:
    """The posts that the code gives; none where what it speaks of is no more."""
    if row.person_id:
        posts = [
            Post(role=Role(p.role), area=p.area, unit=p.unit)
            for p in people.posts_of(ctx.session, row.person_id)
        ]
        known = ctx.session.get(OrgPerson, row.person_id) is not None
        return (posts or [Post()]) if known else []
    if row.area not in ctx.organisation.areas or (row.unit and row.unit not in ctx.organisation.units):
        return []
    return [Post(role=Role(row.role), area=row.area, unit=row.unit)]


def _held(ctx: Context, person_id: str) -> list[Post]:
    """The posts that somebody has by now: the database's, else the file's."""
    if ctx.session.get(OrgPerson, person_id) is not None:
        rows = people.posts_of(ctx.session, person_id)
        return [Post(role=Role(row.role), area=row.area, unit=row.unit) for row in rows]
    person = ctx.organisation.person(person_id)
    return list(person.posts) if person else []


def _beside(held: list[Post], gained: list[Post]) -> list[Post]:
    """A new post stands behind those of old; but a resident who becomes staff speaks as that first."""
    residents = [post for post in held if post.role is Role.RESIDENT]
    return [*(post for post in held if post not in residents), *gained, *residents]


def _keep(ctx: Context, incoming: Incoming, name: str) -> str:
    """Writes the person down and returns his name: the list's, else the code's, else the one in the chat."""
    row = ctx.session.get(OrgPerson, incoming.sender)
    known = ctx.organisation.person(incoming.sender)
    chosen = name or (row.name if row else "") or (known.name if known else "")
    chosen = chosen or shorten(incoming.sender_name, 30) or ctx.texts("names.role.resident")
    row = row or OrgPerson(id=incoming.sender, name=chosen)
    row.name = chosen
    ctx.session.add(row)
    ctx.session.flush()
    return chosen


def _as_row(post: Post) -> tuple[str, str, str]:
    return str(post.role), post.area, post.unit


def post_name(ctx: Context, post: Post) -> str:
    """滨江路网格网格长, 供电所联动单位."""
    organisation: Organisation = ctx.organisation
    unit = organisation.units.get(post.unit)
    where = unit.name if unit else organisation.area_name(post.area or organisation.root)
    return f"{where}{ctx.texts(f'names.role.{post.role}')}"
