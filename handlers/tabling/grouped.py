"""设施问题清单 and 服务需求清单 as rows."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from handlers.context import Context
from handlers.kinds import Sort
from handlers.lists import Asked, Gathering, Group
from handlers.tabling.base import LIGHT, Row, columns, local, yes
from handlers.texts import Texts

COLUMNS = columns(
    "社区 12, 网格 14, 地点 24, 类别 12, 件数 8, 未办结 8, 反映次数 10, 首次反映 17, "
    "最近反映 17, 状态 14, 反复办 8, 最近一件 16"
)


@dataclass
class Gathered:
    """One of the two lists: everything is looked at, then its groups are written."""

    sort: Sort
    asked: Asked
    _gathering: Gathering = field(init=False)
    _rest: Iterator[Group] | None = None

    def __post_init__(self) -> None:
        self._gathering = Gathering(self.sort, self.asked)

    @property
    def seen(self) -> int:
        return self._gathering.seen

    def total(self, ctx: Context) -> int:
        return self._gathering.total(ctx)

    def batch(self, ctx: Context) -> list[Row] | None:
        if self._rest is None:
            if not self._gathering.step(ctx):
                self._rest = iter(self._gathering.groups())
            return []
        rows = [_group_row(ctx, group) for group, _ in zip(self._rest, range(LIGHT), strict=False)]
        return rows or None


def _group_row(ctx: Context, group: Group) -> Row:
    return (
        ctx.organisation.community_name(group.area),
        ctx.organisation.area_name(group.area),
        group.place or "未写明地点",
        group.kind.name,
        group.tickets,
        group.open,
        group.reports,
        local(ctx, group.first),
        local(ctx, group.last),
        standing_of(ctx.texts, group),
        yes(group.recurring or None),
        group.latest,
    )


def standing_of(texts: Texts, group: Group) -> str:
    """处置中, or how the newest one ended."""
    known = "state" if texts.has(f"names.state.{group.standing}") else "resolution"
    return texts(f"names.{known}.{group.standing}")
