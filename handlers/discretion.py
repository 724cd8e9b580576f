"""How people are shown in what is exported: staff by name, residents not, and nothing of theirs in texts."""

from handlers.context import Context
from handlers.masking import mask, mask_for_others
from handlers.organisation import Role

# Who acts for the street; a reporter of these is named.
_STAFF = (Role.GRID_WORKER, Role.GRID_OWNER, Role.COORDINATOR, Role.UNIT)
# Who is named for what he did.
_HELPERS = (*_STAFF, Role.VOLUNTEER, Role.COURIER)


def reporter(ctx: Context, person_id: str, name: str) -> str:
    """唐孃孃 -> 唐**; staff by name."""
    person = ctx.organisation.person(person_id)
    return person.name if person is not None and person.has(*_STAFF) else hidden(name)


def doer(ctx: Context, person_id: str, name: str) -> str:
    """Who did something about a ticket: everybody who helps by name, the bot and the board as such."""
    if person_id in _NOBODY:
        return _NOBODY[person_id]
    if person_id in ctx.organisation.units:
        return ctx.organisation.units[person_id].name
    person = ctx.organisation.person(person_id)
    return person.name if person is not None and person.has(*_HELPERS) else hidden(name)


_NOBODY = {"bot": "机器人", "board": "网页", "operator": "维护人员", "opinion": "第二意见"}


def hidden(name: str) -> str:
    """The first character of a name, if it is one, and two stars; "" for nobody."""
    first = name.strip()[:1]
    return f"{first if first.isalpha() else ''}**" if first else ""


def told(ctx: Context, text: str) -> str:
    """What somebody said, without numbers, doors, plates and plain names; the numbers of tickets stay."""
    return mask(mask_for_others(text, street=ctx.organisation.street_code))
