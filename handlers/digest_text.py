"""What a digest says: at most twelve lines, all of it from the figures. What matters less gives way first."""

from collections.abc import Iterable, Iterator

from classifiers.verdict import Label
from handlers.context import Context
from handlers.figures.model import AreaLoad, DigestKind, Durations, Figures, Line, Loss, Share
from handlers.figures.periods import Window, last_day
from handlers.figures.wording import counts_of, number
from handlers.masking import mask_for_others
from handlers.wording import clock_of, label_of

MOST = 12  # lines
_AREAS = 5
_NAMED = 3  # tickets, places, groups in one line
_OWN_LINES = (Label.FLOOD, Label.DISPUTE, Label.SAFETY)
_HOUR, _DAY = 60, 24 * 60  # minutes
Ranked = Iterator[tuple[int, str]]


def text_of(ctx: Context, found: Figures, window: Window, *, late: bool = False) -> str:
    """Without flats and numbers. late: it is sent after its time."""
    title = _title(ctx, found, window)
    if late:
        title = ctx.texts("digest.late", title=title)
    elif found.period.end < window.period.end:
        title = ctx.texts("digest.so_far", title=title, at=clock_of(ctx, found.period.end))
    if found.empty:
        also = [*_groups(ctx, found), *_visits(ctx, found)]
        return "\n".join([ctx.texts("digest.empty", title=title), *(text for _, text in also)])
    write = _standing if window.kind is DigestKind.MORNING else _happened
    lines = _fitting([(0, title), *write(ctx, found)], MOST - 1)
    masked = mask_for_others("\n".join(lines), street=ctx.organisation.street_code)
    return f"{masked}\n{ctx.texts('digest.link', url=url_of(ctx, found.area, window))}"


def url_of(ctx: Context, area: str, window: Window) -> str:
    """The address of its page."""
    narrowed = "" if area == ctx.organisation.root else f"?area={area}"
    return f"{ctx.world.pages}/digest/{window.day}/{window.kind}{narrowed}"


def _fitting(ranked: list[tuple[int, str]], most: int) -> list[str]:
    """In their order; of too many those of the highest ranks are left out, the later ones first."""
    kept = sorted(range(len(ranked)), key=lambda at: (ranked[at][0], at))[:most]
    return [ranked[at][1] for at in sorted(kept)]


def _title(ctx: Context, found: Figures, window: Window) -> str:
    day = f"{window.day.month}月{window.day.day}日"
    if window.kind is DigestKind.WEEKLY:
        first, last = ctx.local(window.period.start), last_day(ctx, window.period)
        day = f"{first.month}月{first.day}日到{last.month}月{last.day}日"
    name = ctx.texts(f"names.digest.{window.kind}")
    area = found.name or ctx.texts("names.level.street")
    return ctx.texts("digest.title", area=area, day=day, name=name)


def _standing(ctx: Context, found: Figures) -> Ranked:
    """The morning's: what is open."""
    total = found.total
    yield 0, ctx.texts("digest.standing", open=total.open, overdue=total.overdue, opened=total.opened)
    yield from _labels(ctx, found)
    yield from _areas(ctx, found)
    yield from _promises(ctx, found)
    yield from _oldest(ctx, found)
    yield from _recurring(ctx, found)
    yield from _groups(ctx, found)
    yield from _visits(ctx, found)


def _happened(ctx: Context, found: Figures) -> Ranked:
    """The evening's and the week's: what happened."""
    yield 0, ctx.texts("digest.happened", **counts_of(found.total))
    yield from _usual(ctx, found)
    yield from _labels(ctx, found)
    yield from _areas(ctx, found)
    yield from _soon(ctx, found)
    yield from _shares(ctx, found)
    if found.explained:
        yield 5, ctx.texts("digest.explained", count=found.explained)
    yield from _places(ctx, found)
    yield from _recurring(ctx, found)
    yield from _oldest(ctx, found)
    yield from _promises(ctx, found)
    yield from _groups(ctx, found)
    yield from _visits(ctx, found)
    yield from _helped(ctx, found)


def _usual(ctx: Context, found: Figures) -> Ranked:
    usual = found.usual
    if usual.weeks:
        means = {name: number(getattr(usual, name)) for name in ("opened", "closed", "open", "overdue")}
        yield 4, ctx.texts("digest.usual", weeks=usual.weeks, **means)


def _labels(ctx: Context, found: Figures) -> Ranked:
    """Lines of their own for what is dangerous, where there is any."""
    for one in found.labels:
        counts = one.counts
        if one.label in _OWN_LINES and (counts.opened or counts.closed or counts.open):
            yield 1, ctx.texts("digest.label", label=label_of(ctx, one.label), **counts_of(counts))


def _areas(ctx: Context, found: Figures) -> Ranked:
    busy = [load for load in found.areas if load.counts.open][:_AREAS]
    if busy and len(found.areas) > 1:
        yield 3, ctx.texts("digest.areas", items="，".join(_load(ctx, load) for load in busy))


def _load(ctx: Context, load: AreaLoad) -> str:
    late = ctx.texts("digest.area_late", overdue=load.counts.overdue) if load.counts.overdue else ""
    return ctx.texts("digest.area", name=load.name, open=load.counts.open, late=late)


def _soon(ctx: Context, found: Figures) -> Ranked:
    told = (("answered", found.answered), ("closing", found.closing))
    items = [_spread(ctx, key, durations) for key, durations in told if durations.count]
    if items:
        yield 4, ctx.texts("digest.soon", items="；".join(items))


def _spread(ctx: Context, key: str, durations: Durations) -> str:
    half, most = _span(ctx, durations.median or 0), _span(ctx, durations.ninetieth or 0)
    return ctx.texts(f"digest.{key}", half=half, most=most)


def _shares(ctx: Context, found: Figures) -> Ranked:
    items = [_share(ctx, name, share) for name, share in shares_of(found) if share.denominator]
    if items:
        yield 3, ctx.texts("digest.shares", items="，".join(items))


def _share(ctx: Context, name: str, share: Share) -> str:
    left_out = ctx.texts("digest.excluded", count=share.excluded) if share.excluded else ""
    parts = {"part": share.numerator, "whole": share.denominator, "excluded": left_out}
    return ctx.texts("digest.share", name=ctx.texts(f"names.share.{name}"), **parts)


def shares_of(found: Figures) -> Iterable[tuple[str, Share]]:
    """By the names of the texts' names.share, in the order in which they are told."""
    names = ("response", "solution", "satisfaction", "on_time", "rework", "extension")
    return [(name, getattr(found, name)) for name in names]


def _places(ctx: Context, found: Figures) -> Ranked:
    """Only where more than one matter came from the same place."""
    items = [
        ctx.texts("digest.place", name=one.place, count=one.matters)
        for one in found.places[:_NAMED]
        if one.matters > 1
    ]
    if items:
        yield 6, ctx.texts("digest.places", items="，".join(items))


def _recurring(ctx: Context, found: Figures) -> Ranked:
    items = [ctx.texts("digest.ticket", **_told(ctx, line)) for line in found.recurring[:_NAMED]]
    if items:
        yield 5, ctx.texts("digest.recurring", items="；".join(items))


def _oldest(ctx: Context, found: Figures) -> Ranked:
    """Who has waited longest, and who answers for it."""
    for line in found.oldest[:_NAMED]:
        minutes = (found.period.end - line.opened).total_seconds() / 60
        owner = line.owner or ctx.texts("report.nobody")
        age = _age(ctx, minutes)
        rank = 2 if line is found.oldest[0] else 5
        yield rank, ctx.texts("digest.oldest", **_told(ctx, line), age=age, owner=owner)


def _promises(ctx: Context, found: Figures) -> Ranked:
    if found.promises:
        numbers = "、".join(line.number for line in found.promised[:_NAMED])
        more = ctx.texts("digest.more") if found.promises > _NAMED else ""
        when = ctx.texts(f"names.ahead.{found.kind or DigestKind.EVENING}")
        yield 3, ctx.texts("digest.promises", when=when, count=found.promises, numbers=numbers, more=more)


def _groups(ctx: Context, found: Figures) -> Ranked:
    for loss in (Loss.LOST, Loss.QUIET):
        topics = [group.topic or ctx.texts("digest.nameless") for group in found.groups if group.loss is loss]
        if topics:
            more = ctx.texts("digest.more") if len(topics) > _NAMED else ""
            yield 3, ctx.texts(f"digest.{loss}", names="、".join(topics[:_NAMED]), more=more)


def _visits(ctx: Context, found: Figures) -> Ranked:
    """Numbers only; nothing where the care register is not used."""
    if found.visits is not None:
        due, still_open = found.visits
        yield 2, ctx.texts("digest.visits", due=due, open=still_open)


def _helped(ctx: Context, found: Figures) -> Ranked:
    helpers = found.helpers
    if helpers.courier_reports or helpers.volunteer_reports or helpers.orders_taken:
        told = {"couriers": helpers.courier_reports, "volunteers": helpers.volunteer_reports}
        yield 7, ctx.texts("digest.helpers", **told, orders=helpers.orders_taken)
    if found.judgement.corrections:
        right = found.judgement.right
        parts = {"part": right.numerator, "whole": right.denominator}
        yield 7, ctx.texts("digest.judgement", corrections=found.judgement.corrections, **parts)


def _told(ctx: Context, line: Line) -> dict[str, str]:
    place = f"，{line.place}" if line.place else ""
    return {"number": line.number, "label": label_of(ctx, line.label), "place": place}


def _span(ctx: Context, minutes: float) -> str:
    """25分钟, 3.5小时, 2.1天: rounded as on the card."""
    if minutes < _HOUR:
        return ctx.texts("digest.age_minutes", n=f"{max(minutes, 1):.0f}")
    if minutes < _DAY:
        return ctx.texts("digest.age_hours", n=number(minutes / _HOUR))
    return ctx.texts("digest.age_days", n=number(minutes / _DAY))


def _age(ctx: Context, minutes: float) -> str:
    """Whole hours and days that have gone by."""
    unit = _DAY if minutes >= _DAY else _HOUR if minutes >= _HOUR else 1
    return _span(ctx, minutes // unit * unit)
