"""The digests: which is due, whose groups get it, and that each is posted once.

One row says that a digest of a kind was posted for its day, whichever process did it; everything it says, in
every group, is written in that same transaction. A group that was bound later gets the next one.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from handlers.context import Context
from handlers.deadlines import quiet_end
from handlers.digest_text import text_of
from handlers.figures import periods
from handlers.figures.cards import card_of
from handlers.figures.counting import count, gather
from handlers.figures.model import DigestKind, Figures
from handlers.figures.periods import Window
from handlers.organisation import GroupKind
from handlers.replies import Place, room_of, say
from storage import digests, messages

LATE = timedelta(minutes=10)  # from then on it says that it is late


@dataclass(frozen=True, slots=True)
class Digest:
    """One area's, with all below it. rooms: its coordinators' groups."""

    area: str
    rooms: tuple[str, ...]
    figures: Figures = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ready:
    """All that is to be said of one window."""

    window: Window
    digests: tuple[Digest, ...]


def due(ctx: Context, account: str, kind: DigestKind) -> Ready | None:
    """The last digest of that kind, where it is due and not posted yet.

    One that was missed is made up for until the next of its kind, though not at night. A bot that had never
    had a ticket by then has nothing to tell.
    """
    window = periods.last_due(ctx, kind)
    if digests.is_kept(ctx.session, _posted(kind), window.day):
        return None
    if not messages.any_ticket(ctx.session, window.due) or (_is_late(ctx, window) and quiet_end(ctx)):
        return None
    return ready(ctx, account, window)


def ready(ctx: Context, account: str, window: Window) -> Ready | None:
    """What the groups that the bot knows are to be told; None where it knows none."""
    rooms = _rooms(ctx, account)
    if not rooms:
        return None
    gathered = gather(ctx, window.period, ahead=window.ahead, kind=window.kind)
    found = {area: count(gathered, area) for area in rooms}
    late = _is_late(ctx, window)
    return Ready(
        window,
        tuple(
            Digest(area, tuple(rooms[area]), figures, text_of(ctx, figures, window, late=late))
            for area, figures in found.items()
        ),
    )


def post(ctx: Context, account: str, ready: Ready) -> bool:
    """Writes it into the groups; False where that was done before, by whichever process."""
    kind, day = ready.window.kind, ready.window.day
    if not digests.keep(ctx.session, _posted(kind), day, "", ctx.now):
        return False
    for one in ready.digests:
        scope = _scope(ctx, one.area, kind)
        if not digests.keep(ctx.session, scope, day, one.text, ctx.now):
            continue  # posted by a version that noted it only here
        shown = ctx.rules.digests.pictures and not one.figures.empty
        picture = card_of(ctx, one.figures) if shown else None
        for room in one.rooms:
            say(ctx, Place(account, room), one.text, key=f"digest:{scope}:{day}", picture=picture)
    return True


def _posted(kind: DigestKind) -> str:
    return f"all:{kind}"


def _scope(ctx: Context, area: str, kind: DigestKind) -> str:
    code = ctx.organisation.street_code if area == ctx.organisation.root else area
    return code if kind is DigestKind.EVENING else f"{code}:{kind}"


def _is_late(ctx: Context, window: Window) -> bool:
    return ctx.now - window.due >= LATE


def _rooms(ctx: Context, account: str) -> dict[str, list[str]]:
    """The coordinators' groups that the bot knows, by area."""
    found: dict[str, list[str]] = {}
    for group in ctx.organisation.groups:
        room = room_of(ctx, account, group) if group.kind is GroupKind.COORDINATORS else None
        if room and room not in found.setdefault(group.area or ctx.organisation.root, []):
            found[group.area or ctx.organisation.root].append(room)
    return {area: rooms for area, rooms in found.items() if rooms}
