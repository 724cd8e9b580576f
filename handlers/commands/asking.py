"""What coordinators ask for in chat: 日报 周报 查 超期 排行 清单."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from handlers import asking, lists
from handlers.asking import Days, Part, Wish
from handlers.attached import sheet_of
from handlers.commands import target
from handlers.commands.registry import Call, UsageError, command
from handlers.context import Context
from handlers.digest_text import text_of
from handlers.figures import counting, periods
from handlers.figures.cards import card_of
from handlers.figures.model import Counts, DigestKind
from handlers.figures.wording import counts_of, period_of
from handlers.kinds import Sort
from handlers.lists import Standing
from handlers.organisation import GroupKind
from handlers.permissions import Permission
from handlers.replies import answer
from handlers.sight import STAFF
from handlers.tabling import TableName
from handlers.wording import label_of
from storage import board
from storage.tables import Ticket

_SHOWN = 8  # matters of an answer; the page has all
_PLACES = 4  # of each list
_LIST_DAYS = 30
_LISTS = {Sort.FACILITY: TableName.FACILITIES, Sort.SERVICE: TableName.SERVICES}
# Of the others, and of a range of days, a table has more than is counted here: merged ones, open ones.
_TABLED = {"open": Standing.OPEN, "explained": Standing.EXPLAINED}
_TOLD = {Part.STATE, Part.URGENCY, Part.FLAG, Part.PLACE, Part.WORD}  # as typed


@dataclass(frozen=True, slots=True)
class Question:
    """roots: the areas, with all below them, of which may be asked here. area: what is asked about."""

    ctx: Context
    call: Call
    wish: Wish
    roots: tuple[str, ...]
    area: str

    @property
    def areas(self) -> frozenset[str] | None:
        """The codes asked about; None for the whole street, with what lies in no known area."""
        organisation = self.ctx.organisation
        asked = (self.area,) if self.wish.of(Part.AREA) else self.roots
        if organisation.root in asked:
            return None
        return frozenset().union(*(organisation.all_within(code) for code in asked))

    @property
    def within(self) -> tuple[str, ...] | None:
        return None if self.areas is None else tuple(sorted(self.areas))

    @property
    def name(self) -> str:
        return self.ctx.organisation.area_name(self.area)

    def answer(self, lines: Iterable[str], picture: str | None = None) -> None:
        answer(self.ctx, self.call.incoming, "\n".join(filter(None, lines)), picture=picture)

    def link(self, page: str, **values: object) -> str:
        said = {name: f"{value}" for name, value in values.items() if value}
        if self.wish.of(Part.AREA) or len(self.roots) == 1:
            said = {"area": "" if self.area == self.ctx.organisation.root else self.area} | said
        query = urlencode({name: value for name, value in said.items() if value})
        return f"{self.ctx.world.pages}{page}{'?' if query else ''}{query}"


Answer = Callable[[Question], None]


def _ask(ctx: Context, call: Call, takes: Iterable[Part], answered: Answer) -> None:
    """Answers where it may be asked here, by this person, in words that the command takes."""
    roots = _roots(ctx, call)
    wish = asking.read(ctx, call.argument)
    organisation, area = ctx.organisation, wish.of(Part.AREA)
    if not roots:
        answer(ctx, call.incoming, ctx.texts("asking.elsewhere"))
    elif strange := wish.besides(*takes):
        words = "”“".join(strange)[:60]
        answer(ctx, call.incoming, ctx.texts("asking.unknown", words=words, usage=call.command.usage))
    elif area and not any(organisation.within(area, root) for root in roots):
        scope = "、".join(organisation.area_name(root) for root in roots)
        values = {"area": organisation.area_name(area), "scope": scope}
        answer(ctx, call.incoming, ctx.texts("asking.not_yours", **values))
    elif wish.days and wish.days[0] > ctx.local(ctx.now).date():
        answer(ctx, call.incoming, ctx.texts("asking.future"))
    else:
        answered(Question(ctx, call, wish, roots, area or roots[0]))


def _roots(ctx: Context, call: Call) -> tuple[str, ...]:
    """In a coordinators' group its area, in private those of one's posts; elsewhere none."""
    root = ctx.organisation.root
    if call.incoming.is_private:
        return tuple(dict.fromkeys(post.area or root for post in call.actor.posts if post.role in STAFF))
    group = ctx.organisation.group(call.incoming.room, call.incoming.room_topic)
    return (group.area or root,) if group.kind is GroupKind.COORDINATORS else ()


@command(
    "日报",
    "daily",
    usage="#日报 [区域] [哪天]",
    permission=Permission.GRID,
    help="看一天的数字，有图（在指挥群里发，或私聊我）",
    numbered=False,
)
def daily(ctx: Context, call: Call) -> Ticket | None:
    """That of this evening, up to now, where no day is named."""
    _ask(ctx, call, (Part.AREA, Part.DAYS), lambda asked: _report(asked, DigestKind.EVENING))
    return None


@command(
    "周报",
    "weekly",
    usage="#周报 [区域] [哪周]",
    permission=Permission.GRID,
    help="看一周的数字，有图；不写就是上周",
    numbered=False,
)
def weekly(ctx: Context, call: Call) -> Ticket | None:
    _ask(ctx, call, (Part.AREA, Part.DAYS), lambda asked: _report(asked, DigestKind.WEEKLY))
    return None


def _report(asked: Question, kind: DigestKind) -> None:
    ctx, days = asked.ctx, asked.wish.days
    day = days[0] if days else ctx.local(ctx.now).date()
    if kind is DigestKind.WEEKLY and days:
        day += timedelta(days=7)  # the digest of a week is that of the Monday after it
    window = periods.window(ctx, kind, day)
    found = counting.of_window(ctx, asked.area, window)
    shown = ctx.rules.digests.pictures and not found.empty
    asked.answer([text_of(ctx, found, window)], card_of(ctx, found) if shown else None)


@command(
    "查",
    "find",
    "search",
    usage="#查 区域 类别 状态 时间",
    permission=Permission.GRID,
    help="查事项，先后随便，如 查 棉花街 上周 汛情",
    numbered=False,
)
def find(ctx: Context, call: Call) -> Ticket | None:
    if not call.argument.strip():
        raise UsageError
    _ask(ctx, call, [part for part in Part if part is not Part.SORT], _search)
    return None


def _search(asked: Question) -> None:
    """Without a state: what is open, or of the named days all that was reported in them."""
    wish = asked.wish
    overdue = wish.flag("overdue")
    wanted = wish.of(Part.STATE) or ("all" if wish.days and not overdue else "open")
    _show(asked, wanted, overdue)


@command(
    "超期",
    "overdue",
    usage="#超期 [区域] [类别]",
    permission=Permission.GRID,
    help="看哪些事超时了",
    numbered=False,
)
def overdue(ctx: Context, call: Call) -> Ticket | None:
    _ask(ctx, call, (Part.AREA, Part.LABEL, Part.FLAG), lambda asked: _show(asked, "open", overdue=True))
    return None


def _show(asked: Question, state: str, overdue: bool) -> None:
    ctx, wish = asked.ctx, asked.wish
    period = periods.days(ctx, *wish.days) if wish.days else None
    wanted = board.Filter(
        state=state,
        label=wish.of(Part.LABEL) or "",
        areas=asked.areas,
        urgency=wish.of(Part.URGENCY),
        overdue=overdue,
        recurring=wish.flag("recurring"),
        start=period.start if period else None,
        end=period.end if period else None,
        words=wish.words,
        matters=True,
    )
    found = board.board(ctx.session, wanted, ctx.now, number=1, size=_SHOWN).tickets
    searched = ctx.texts("asking.searched", words=_said(wish)) if _said(wish) else ""
    what = _what(asked, state, overdue)
    if not found.total:
        asked.answer([ctx.texts("asking.none", what=what), searched])
        return
    url = asked.link(
        "/board",
        state="" if state == "open" else state,
        label=wanted.label,
        urgency=wanted.urgency,
        overdue="1" if overdue else "",
        recurring="1" if wanted.recurring else "",
        start=wish.days[0] if wish.days else "",
        end=wish.days[1] if wish.days else "",
        q=" ".join(forms[0] for forms in wish.words),
    )
    rest = found.total - len(found.rows)
    more = ctx.texts("asking.more", count=rest, url=url) if rest else ctx.texts("asking.page", url=url)
    head = ctx.texts("asking.found", what=what, count=found.total)
    sheet = _sheet(asked, wanted) if rest else None
    asked.answer([head, target.lines(ctx, list(found.rows)), searched, more], sheet)


def _sheet(asked: Question, wanted: board.Filter) -> str | None:
    """All of what was found as a file; None where a table cannot be narrowed like that."""
    flags = wanted.urgency or wanted.overdue or wanted.recurring
    if wanted.words or flags or asked.wish.days or wanted.state not in _TABLED:
        return None
    rows = lists.Asked(label=wanted.label, state=_TABLED[wanted.state], within=asked.within)
    return sheet_of(asked.ctx, asked.call.actor, TableName.TICKETS, rows)


def _said(wish: Wish) -> str:
    return "”“".join(one.said for one in wish.found if one.part is Part.WORD)[:60]


def _what(asked: Question, state: str, overdue: bool) -> str:
    """江岸社区 7月6日 – 7月12日报的 汛情 在办: how the question was understood."""
    ctx, wish = asked.ctx, asked.wish
    areas = asked.name
    if not wish.of(Part.AREA):
        areas = "、".join(ctx.organisation.area_name(root) for root in asked.roots)
    days = ctx.texts("asking.days", days=period_of(periods.days(ctx, *wish.days))) if wish.days else ""
    label = label_of(ctx, wish.of(Part.LABEL)) if wish.of(Part.LABEL) else ""
    said = [one.said for one in wish.found if one.part in _TOLD]
    if overdue and not wish.flag("overdue"):
        said.append(asked.call.command.name)
    elif state == "open" and not said:
        said.append(ctx.texts("asking.open"))
    return " ".join(filter(None, [areas, days, label, *said]))


@command(
    "排行",
    "ranking",
    "top",
    usage="#排行 [区域] [时间]",
    permission=Permission.GRID,
    help="看哪里的事最多；不写时间就是本周",
    numbered=False,
)
def ranking(ctx: Context, call: Call) -> Ticket | None:
    _ask(ctx, call, (Part.AREA, Part.DAYS), _rank)
    return None


def _rank(asked: Question) -> None:
    ctx = asked.ctx
    days = asked.wish.days or asking.week_of(ctx.local(ctx.now).date())
    found = counting.figures(ctx, asked.area, periods.days(ctx, *days))
    values = {"area": found.name, "period": period_of(found.period)}
    if found.empty:
        asked.answer([ctx.texts("asking.ranking_none", **values)])
        return
    lines = [
        ctx.texts("asking.ranking_line", rank=rank, name=area.name, **counts_of(area.counts))
        for rank, area in enumerate([one for one in found.areas if one.counts != Counts()][:_SHOWN], 1)
    ]
    places = [ctx.texts("asking.place", name=place.place, count=place.matters) for place in found.places]
    most = ctx.texts("asking.places", items="，".join(places)) if places else ""
    page = ctx.texts("asking.page", url=asked.link("/board"))
    asked.answer([ctx.texts("asking.ranking", **values), *lines, most, page])


@command(
    "清单",
    "lists",
    "inventory",
    usage="#清单 [设施|需求] [区域] [时间]",
    permission=Permission.GRID,
    help="看设施问题和服务需求；不写时间就是近30天",
    numbered=False,
)
def inventory(ctx: Context, call: Call) -> Ticket | None:
    _ask(ctx, call, (Part.AREA, Part.DAYS, Part.SORT), _list)
    return None


def _list(asked: Question) -> None:
    ctx, wish = asked.ctx, asked.wish
    today = ctx.local(ctx.now).date()
    days = wish.days or (today - timedelta(days=_LIST_DAYS - 1), today)
    sorts = [Sort(wish.of(Part.SORT))] if wish.of(Part.SORT) else list(Sort)
    for_lists = lists.Asked(*days, within=asked.within)
    listed = {sort: lists.groups(ctx, sort, for_lists) for sort in sorts}
    lines = [line for sort in sorts for line in _listed(asked, sort, days, listed[sort])]
    only = sorts[0] if len(sorts) == 1 else ""
    page = asked.link("/lists", list=only, start=days[0], end=days[1])
    asked.answer([*lines, ctx.texts("asking.page", url=page)])
    for sort, groups in listed.items():
        if len(groups) > _PLACES:  # with more than can be told the whole goes along as a file
            names = {"sort": ctx.texts(f"asking.{sort}"), "places": len(groups)}
            sheet = sheet_of(ctx, asked.call.actor, _LISTS[sort], for_lists)
            text = ctx.texts("asking.sheet", **names)
            answer(ctx, asked.call.incoming, text, key=f"sheet:{sort}", picture=sheet)


def _listed(asked: Question, sort: Sort, days: Days, groups: Sequence[lists.Group]) -> Iterable[str]:
    ctx = asked.ctx
    names = {
        "area": asked.name,
        "sort": ctx.texts(f"asking.{sort}"),
        "period": period_of(periods.days(ctx, *days)),
    }
    if not groups:
        yield ctx.texts("asking.listed_none", **names)
        return
    matters, still = sum(group.tickets for group in groups), sum(group.open for group in groups)
    yield ctx.texts("asking.listed", **names, places=len(groups), matters=matters, open=still)
    for group in groups[:_PLACES]:
        place = group.place or ctx.texts("asking.nowhere")
        values = {"kind": group.kind.name, "matters": group.tickets, "open": group.open}
        yield ctx.texts("asking.listed_line", place=place, **values)
