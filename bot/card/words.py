"""What is written on the card, and in which colours."""

from collections.abc import Iterator

from classifiers.verdict import Label
from handlers.figures.model import AreaLoad, Counts, DigestKind, Durations, Figures, Share
from handlers.figures.wording import number

TITLES = {DigestKind.MORNING: "早报", DigestKind.EVENING: "日报", DigestKind.WEEKLY: "周报", None: "统计"}
LABELS = {Label.FLOOD: "汛情", Label.DISPUTE: "纠纷", Label.SAFETY: "安全", Label.SERVICE: "服务"}
# Masataka Okabe and Kei Ito's set: told apart with every kind of colour blindness.
BLUE, ORANGE, VERMILLION, GREEN = "#0072B2", "#E69F00", "#D55E00", "#009E73"
COLOURS = {Label.FLOOD: BLUE, Label.DISPUTE: ORANGE, Label.SAFETY: VERMILLION, Label.SERVICE: GREEN}
MOST_AREAS = 8  # rows; what is more goes into one row
_MINUTES = 60
_DAY = 24 * _MINUTES


def tiles(figures: Figures) -> Iterator[tuple[str, int, str]]:
    """Name, number and what is usual."""
    total, usual = figures.total, figures.usual
    rows = (
        ("新报", total.opened, usual.opened),
        ("办结", total.closed, usual.closed),
        ("在办", total.open, usual.open),
        ("超时", total.overdue, usual.overdue),
    )
    for name, count, mean in rows:
        yield name, count, f"平时 {number(mean)}" if usual.weeks else ""


def shares(figures: Figures) -> Iterator[tuple[str, Share]]:
    yield "响应率", figures.response
    yield "解决率", figures.solution
    yield "满意率", figures.satisfaction
    yield "按期结案率", figures.on_time


def percent(share: Share) -> str:
    return "—" if share.percent is None else f"{share.percent:.0f}%"


def duration(minutes: float | None) -> str:
    """25 分钟, 3.5 小时, 2.1 天; at least a minute."""
    if minutes is None:
        return "—"
    if minutes < _MINUTES:
        return f"{max(minutes, 1):.0f} 分钟"
    if minutes < _DAY:
        return f"{number(minutes / _MINUTES)} 小时"
    return f"{number(minutes / _DAY)} 天"


def spread(durations: Durations) -> str:
    if not durations.count:
        return "—"
    return f"一半在 {duration(durations.median)}内，九成在 {duration(durations.ninetieth)}内"


def loads(figures: Figures) -> tuple[list[AreaLoad], list[AreaLoad]]:
    """The areas that have most open, and the rest of those that have any."""
    busy = [area for area in figures.areas if area.counts.open]
    shown = MOST_AREAS if len(busy) <= MOST_AREAS else MOST_AREAS - 1
    return busy[:shown], busy[shown:]


def told(counts: Counts) -> str:
    """12（超时 3）."""
    return f"{counts.open}（超时 {counts.overdue}）" if counts.overdue else str(counts.open)


def rest_of(areas: list[AreaLoad]) -> str:
    total = sum((area.counts for area in areas), Counts())
    return f"其余 {len(areas)} 处共 {told(total)}"
