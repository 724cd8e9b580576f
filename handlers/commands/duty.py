"""值班: who is on duty, and is called first."""

from datetime import timedelta

from handlers.commands.registry import Call, UsageError, command
from handlers.commands.roster import STAFF, asked_area, own_area
from handlers.context import Context
from handlers.organisation import Person, Post, Role
from handlers.permissions import Permission, covers
from handlers.records import note
from handlers.replies import answer
from handlers.spans import end_of
from handlers.wording import clock_of
from storage import duties
from storage.tables import Duty, Ticket

_USUAL, _LONGEST = timedelta(hours=12), timedelta(days=3)
_ON, _OFF = ("上", "on"), ("下", "off")


@command(
    "值班",
    "duty",
    usage="#值班 [上|下|@谁] [时长]",
    permission=Permission.GRID,
    help="看谁在值班；上、下是自己，@谁 由指挥中心排",
    glued=True,
    numbered=False,
)
def duty(ctx: Context, call: Call) -> Ticket | None:
    words = call.argument
    other = _other(ctx, call)
    me = ctx.organisation.person(call.actor.id)
    if other is not None:
        person, rest = other
        _arrange(ctx, call, person, rest or str(_ON[0]))
    elif me is not None and words.startswith((*_ON, *_OFF)):
        _arrange(ctx, call, me, words)
    elif words.startswith(("@", "＠")):
        answer(ctx, call.incoming, ctx.texts("command.not_found_person", asked=words.lstrip("@＠")[:30]))
    else:
        _show(ctx, call)
    return None


def _other(ctx: Context, call: Call) -> tuple[Person, str] | None:
    """Somebody else who is meant, mentioned or by name up front, and what is said of him."""
    words = call.argument.lstrip("@＠")
    called = [p for id_ in call.incoming.mentions if (p := ctx.organisation.person(id_))]
    people = called or list(ctx.organisation.people.values())
    named = [person for person in people if words.startswith(person.name)]
    if not named:
        return None
    person = max(named, key=lambda person: len(person.name))
    return person, words[len(person.name) :].strip(" \u2005")


def _arrange(ctx: Context, call: Call, person: Person, words: str) -> None:
    """Puts the person on duty, or ends it."""
    post = _post(ctx, call, person)
    if post is None:
        answer(ctx, call.incoming, ctx.texts("duty.no_post", name=person.name))
        return
    area = post.area or ctx.organisation.root
    if person.id != call.actor.id and not covers(ctx.organisation, call.actor, area, Role.COORDINATOR):
        answer(ctx, call.incoming, ctx.texts("duty.others"))
        return
    if words.startswith(_OFF):
        _end(ctx, call, person)
        return
    span = words
    for word in _ON:
        span = span.removeprefix(word)
    local = ctx.local(ctx.now)
    until = end_of(span, local) if span.strip() else local + _USUAL
    if until is None or until - local > _LONGEST:
        raise UsageError
    duties.begin(ctx.session, person.id, area, ctx.now, until)
    told = {"area": area, "until": until.isoformat()}
    note(ctx, call.actor, "duty_on", f"person:{person.id}", after=told, message_id=call.incoming.row_id)
    values = {"name": person.name, "until": clock_of(ctx, until), "area": ctx.organisation.area_name(area)}
    answer(ctx, call.incoming, ctx.texts("duty.on", **values))


def _end(ctx: Context, call: Call, person: Person) -> None:
    if duties.end(ctx.session, person.id, ctx.now):
        note(ctx, call.actor, "duty_off", f"person:{person.id}", message_id=call.incoming.row_id)
        answer(ctx, call.incoming, ctx.texts("duty.off", name=person.name))
    else:
        answer(ctx, call.incoming, ctx.texts("duty.not_on", name=person.name))


def _post(ctx: Context, call: Call, person: Person) -> Post | None:
    """The post that he is on duty with: the nearest that covers this group's area, else the first."""
    posts = [post for post in person.posts if post.role in STAFF]
    above = [area.code for area in ctx.organisation.upwards(own_area(ctx, call))]
    covering = [post for post in posts if (post.area or ctx.organisation.root) in above]
    covering.sort(key=lambda post: above.index(post.area or ctx.organisation.root))
    return next(iter([*covering, *posts]), None)


def _show(ctx: Context, call: Call) -> None:
    """Each level at and above the area, and whoever is on duty below it."""
    code = asked_area(ctx, call)
    if code is None:
        return
    organisation = ctx.organisation
    levels = [area.code for area in organisation.upwards(code)]
    below = sorted(organisation.all_within(code) - set(levels))
    found = duties.now_on(ctx.session, [*levels, *below], ctx.now)
    lines = [
        _line(ctx, area, found) for area in [*reversed(levels), *below] if area in levels or _of(found, area)
    ]
    head = ctx.texts("duty.head", area=organisation.area_name(code))
    answer(ctx, call.incoming, "\n".join([head, *lines]))


def _of(found: list[Duty], area: str) -> list[Duty]:
    return [duty for duty in found if duty.area == area]


def _line(ctx: Context, area: str, found: list[Duty]) -> str:
    shown = []
    for one in _of(found, area):
        person = ctx.organisation.person(one.person_id)
        if person is not None:
            shown.append(ctx.texts("duty.one", name=person.name, until=clock_of(ctx, one.until)))
    names = "、".join(shown) or ctx.texts("duty.nobody")
    return ctx.texts("duty.line", area=ctx.organisation.area_name(area), names=names)
