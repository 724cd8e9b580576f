"""Made-up figures, for what is drawn from them."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from classifiers.verdict import Label
from handlers.figures.model import (
    AreaLoad,
    Counts,
    DayCounts,
    DigestKind,
    Durations,
    Figures,
    Helpers,
    Judgement,
    LabelFigures,
    Period,
    Share,
    Usual,
)

LABELS = tuple(label for label in Label if label is not Label.NONE)
NAMES = ("棉花街社区", "望龙门社区", "白象街社区", "十八梯社区", "厚慈街社区", "储奇门社区")
END = datetime(2025, 7, 12, 18, tzinfo=ZoneInfo("Asia/Shanghai"))
_PER_DAY = ((1, 2, 1, 4), (0, 3, 2, 3), (2, 1, 1, 5), (0, 1, 0, 2), (1, 0, 2, 3), (3, 2, 1, 4), (9, 1, 3, 4))


def areas_of(names: tuple[str, ...], most: int = 18) -> tuple[AreaLoad, ...]:
    return tuple(
        AreaLoad(f"a{at}", name, Counts(open=max(most - 3 * at, 1), overdue=max(5 - 2 * at, 0)))
        for at, name in enumerate(names)
    )


def made_up(**changes: Any) -> Figures:
    """A busy day; `changes` are Figures' fields."""
    given: dict[str, Any] = dict(
        area="street",
        name="解放碑街道",
        period=Period(END - timedelta(days=1), END),
        total=Counts(17, 21, 63, 9),
        usual=Usual(4, 11.5, 12.25, 48, 4),
        labels=tuple(LabelFigures(label) for label in LABELS),
        areas=areas_of(NAMES),
        urgent=2,
        explained=1,
        duplicates=2,
        reopened=1,
        answered=Durations(16, 8, 47),
        closing=Durations(21, 265, 2900),
        response=Share(16, 17, 1),
        solution=Share(18, 20, 1),
        satisfaction=Share(11, 12, 8),
        on_time=Share(17, 20, 1),
        rework=Share(1, 20, 1),
        extension=Share(2, 20, 1),
        places=(),
        recurring=(),
        oldest=(),
        promises=4,
        promised=(),
        helpers=Helpers(),
        judgement=Judgement({}),
        groups=(),
        days=days_of(_PER_DAY * 2),
        kind=DigestKind.EVENING,
    )
    return Figures(**given | changes)


def days_of(rows: tuple[tuple[int, ...], ...]) -> tuple[DayCounts, ...]:
    """Opened by label, on the days up to 12 July."""
    last = date(2025, 7, 12)
    return tuple(
        DayCounts(
            last - timedelta(days=len(rows) - 1 - at), {k: n for k, n in zip(LABELS, row, strict=True) if n}
        )
        for at, row in enumerate(rows)
    )


if __name__ == "__main__":
    # python -m tests.support.figures: the sample in the docs.
    from pathlib import Path

    from bot.card import draw

    Path("docs/digest.png").write_bytes(draw(made_up()))
