"""Figures as a few lines of text, beside the picture."""

from collections.abc import Iterator

from handlers.context import Context
from handlers.figures.model import Counts, Figures, Line, Share
from handlers.figures.wording import number
from handlers.wording import clock_of, label_of

_AREAS = 6
_OLDEST = 3


def counts(found: Counts) -> dict[str, int]:
    """For a template."""
    return {
        "opened": found.opened,
        "closed": found.closed,
        "open": found.open,
        "overdue": found.overdue,
    }


def any_of(found: Counts) -> bool:
    return found != Counts()


def lines(ctx: Context, found: Figures) -> Iterator[str]:
    """At most nine."""
    yield ctx.texts("digest.numbers", **counts(found.total))
    if usual := found.usual if found.usual.weeks else None:
        means = {name: number(getattr(usual, name)) for name in ("opened", "closed", "open", "overdue")}
        yield ctx.texts("asking.usual", **means)
    shares = {name: getattr(found, name) for name in ("response", "solution", "satisfaction", "on_time")}
    if any(share.denominator for share in shares.values()):
        yield ctx.texts("asking.shares", **{name: _share(ctx, share) for name, share in shares.items()})
    opened = [(label_of(ctx, one.label), one.counts.opened) for one in found.labels if one.counts.opened]
    if opened:
        items = [ctx.texts("digest.item", name=name, count=count) for name, count in opened]
        yield ctx.texts("digest.labels", items="，".join(items))
    if busy := [area for area in found.areas if area.counts.open][:_AREAS]:
        items = [_area(ctx, area.name, area.counts) for area in busy]
        yield ctx.texts("asking.areas", items="，".join(items))
    for line in found.oldest[:_OLDEST]:
        yield ctx.texts("asking.oldest", **_facts(ctx, line))


def _area(ctx: Context, name: str, found: Counts) -> str:
    if found.overdue:
        return ctx.texts("asking.area_late", name=name, count=found.open, late=found.overdue)
    return ctx.texts("digest.item", name=name, count=found.open)


def _share(ctx: Context, share: Share) -> str:
    if share.percent is None:
        return "—"
    values = {"percent": f"{share.percent:.0f}", "part": share.numerator, "whole": share.denominator}
    if share.excluded:
        return ctx.texts("asking.share_excluded", **values, excluded=share.excluded)
    return ctx.texts("asking.share", **values)


def _facts(ctx: Context, line: Line) -> dict[str, str]:
    return {
        "number": line.number,
        "label": label_of(ctx, line.label),
        "place": f"，{line.place}" if line.place else "",
        "owner": line.owner or ctx.texts("report.nobody"),
        "since": clock_of(ctx, line.opened),
    }
