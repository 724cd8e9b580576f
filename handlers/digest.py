"""The evening digest: what the coordinators read of a day, as a short text."""

from datetime import date, datetime, time, timedelta

from handlers.context import Context
from handlers.masking import mask_for_others
from handlers.organisation import GroupKind
from handlers.replies import Place, room_of, say
from handlers.wording import facts
from storage import care, digests
from storage.digests import Figures
from storage.tables import Ticket

_OLDEST = 3
_RECURRING = 3


def span(ctx: Context, day: date) -> tuple[datetime, datetime]:
    """The day from midnight to midnight in the street's zone; today's ends now."""
    start = datetime.combine(day, time(), tzinfo=ctx.world.zone)
    return start, min(start + timedelta(days=1), max(ctx.now, start))


def text_of(ctx: Context, day: date) -> str:
    """The digest of the whole street for that day, at most twelve lines, without flats and numbers."""
    start, end = span(ctx, day)
    found = digests.figures(ctx.session, start, end)
    root = ctx.organisation.areas.get(ctx.organisation.root)
    name = root.name if root else ctx.texts("names.level.street")
    shown_day = f"{day.month}月{day.day}日"
    visits = _visits(ctx, day, end)
    if not (found.opened or found.closed or found.open):
        return "\n".join([ctx.texts("digest.empty", area=name, day=shown_day), *visits])
    lines = [
        ctx.texts("digest.title", area=name, day=shown_day),
        ctx.texts(
            "digest.numbers",
            opened=found.opened,
            closed=found.closed,
            open=found.open,
            overdue=found.overdue,
        ),
        *([ctx.texts("digest.explained", count=found.explained)] if found.explained else []),
        *_recurring(ctx, digests.recurring(ctx.session, start, end, _RECURRING)),
        *_breakdown(ctx, found),
        *visits,
        *_oldest(ctx, digests.oldest_open(ctx.session, end, _OLDEST), end),
    ]
    return mask_for_others("\n".join(lines), street=ctx.organisation.street_code)


def _visits(ctx: Context, day: date, end: datetime) -> list[str]:
    """Numbers only; nothing where the care register is not used."""
    due, still_open = care.due_and_open(ctx.session, day, end)
    return [ctx.texts("digest.visits", due=due, open=still_open)] if due else []


def _recurring(ctx: Context, found: list[Ticket]) -> list[str]:
    items = [ctx.texts("digest.recurring_item", **facts(ctx, ticket)) for ticket in found]
    return [ctx.texts("digest.recurring", items="；".join(items))] if items else []


def _breakdown(ctx: Context, found: Figures) -> list[str]:
    """By label and by community, most first; nothing where nothing was reported."""
    communities: dict[str, int] = {}
    for area, count in found.by_area.items():
        name = ctx.organisation.community_name(area)
        communities[name] = communities.get(name, 0) + count
    labels = {ctx.texts(f"names.label.{label}"): count for label, count in found.by_label.items()}
    return [
        ctx.texts(f"digest.{key}", items="，".join(_items(ctx, counts)))
        for key, counts in (("labels", labels), ("communities", communities))
        if counts
    ]


def _items(ctx: Context, counts: dict[str, int]) -> list[str]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:6]
    return [ctx.texts("digest.item", name=name, count=count) for name, count in ranked]


def _oldest(ctx: Context, found: list[Ticket], end: datetime) -> list[str]:
    if not found:
        return []
    lines = [ctx.texts("digest.oldest")]
    for ticket in found:
        owner = ctx.organisation.person(ticket.owner or "")
        name = owner.name if owner else ctx.texts("report.nobody")
        age = _age(ctx, end - ticket.opened_at)
        lines.append(ctx.texts("digest.oldest_item", **facts(ctx, ticket), age=age, owner=name))
    return lines


def _age(ctx: Context, age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    if minutes >= 24 * 60:
        return ctx.texts("digest.age_days", n=minutes // (24 * 60))
    if minutes >= 60:
        return ctx.texts("digest.age_hours", n=minutes // 60)
    return ctx.texts("digest.age_minutes", n=minutes)


def post(ctx: Context, account: str, day: date) -> bool:
    """Writes the day's digest into the street's coordinators' groups.

    False where that was done before, or where the bot knows no such group yet: it is then asked again.
    """
    groups = ctx.organisation.groups_of(GroupKind.COORDINATORS, ctx.organisation.root)
    known = [room for group in groups if (room := room_of(ctx, account, group))]
    if not known:
        return False
    text, scope = text_of(ctx, day), ctx.organisation.street_code
    if not digests.keep(ctx.session, scope, day, text, ctx.now):
        return False
    for room in known:
        say(ctx, Place(account, room), text, key=f"digest:{scope}:{day}")
    return True
