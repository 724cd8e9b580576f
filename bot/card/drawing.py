"""The card's drawing, with matplotlib's objects only: pyplot keeps state that threads would share.

Lengths are pixels, from the upper left corner.
"""

from io import BytesIO
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from bot.card import letters, words
from handlers.figures.model import Figures as Counted
from handlers.figures.wording import period_of

WIDTH, DPI = 1080, 100
MARGIN = 48
INNER = WIDTH - 2 * MARGIN
INK, GREY, PALE, PAPER = "#1f2933", "#5b6770", "#eef2f5", "#ffffff"
_HEADER, _TILES, _SHARES, _CHART, _ROW, _FOOTER = 190, 214, 288, 500, 62, 66
_TICKS = 60  # below the bars


class Card:
    """A figure with one sheet of paper over all of it, on which texts and boxes are put by pixel."""

    def __init__(self, height: int) -> None:
        self.height = height
        self.figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI, facecolor=PAPER)
        FigureCanvasAgg(self.figure)
        self.paper = self.axes(0, 0, WIDTH, height, "paper")
        self.paper.set_xlim(0, WIDTH)
        self.paper.set_ylim(height, 0)
        self.paper.set_axis_off()

    def axes(self, left: float, top: float, width: float, height: float, label: str) -> Axes:
        bottom = 1 - (top + height) / self.height
        rectangle = (left / WIDTH, bottom, width / WIDTH, height / self.height)
        return self.figure.add_axes(rectangle, label=label)

    def write(self, left: float, top: float, text: str, size: float, **style: Any) -> None:
        """top: of the middle of the line."""
        options = {"color": INK, "va": "center", "parse_math": False, **style}
        font = letters.of_size(size, DPI)
        self.paper.text(left, top, letters.drawable(text), fontproperties=font, **options)

    def box(
        self, left: float, top: float, width: float, height: float, colour: str, radius: float = 0
    ) -> None:
        if width <= 0:
            return
        if radius:
            style = f"round,pad=0,rounding_size={radius}"
            patch: Any = FancyBboxPatch((left, top), width, height, boxstyle=style, fc=colour, lw=0)
        else:
            patch = Rectangle((left, top), width, height, fc=colour, lw=0)
        self.paper.add_patch(patch)


def card(figures: Counted) -> Figure:
    """The whole card, not yet rendered."""
    shown, rest = words.loads(figures)
    areas = max(len(shown) + bool(rest), 1)
    card = Card(_HEADER + _TILES + _SHARES + _CHART + 76 + areas * _ROW + _FOOTER)
    top = 0
    for part, height in ((_header, _HEADER), (_numbers, _TILES), (_shares, _SHARES), (_days, _CHART)):
        part(card, figures, top)
        top += height
    _areas(card, figures, top)
    note = "并案的不算；误报和撤回的不计入比率"
    card.write(WIDTH / 2, card.height - _FOOTER / 2, note, 26, color=GREY, ha="center")
    return card.figure


def png(figure: Figure) -> bytes:
    out = BytesIO()
    # No date and no version: the same figures give the same file.
    figure.savefig(out, format="png", dpi=DPI, metadata={"Software": None}, pil_kwargs={"optimize": True})
    return out.getvalue()


def _header(card: Card, figures: Counted, top: float) -> None:
    card.box(0, top, WIDTH, 156, words.BLUE)
    title = words.TITLES[figures.kind]
    card.write(MARGIN, top + 58, letters.fitted(figures.name, 14.5) + title, 56, color=PAPER)
    card.write(MARGIN, top + 120, period_of(figures.period), 32, color=PAPER)
    if figures.urgent:
        urgent = f"紧急 {figures.urgent} 件"
        card.write(WIDTH - MARGIN, top + 120, urgent, 32, color=PAPER, ha="right")


def _numbers(card: Card, figures: Counted, top: float) -> None:
    gap = 20
    width = (INNER - 3 * gap) / 4
    for at, (name, count, usual) in enumerate(words.tiles(figures)):
        left = MARGIN + at * (width + gap)
        middle = left + width / 2
        alarming = name == "超时" and count > 0
        card.box(left, top, width, 184, PALE, 16)
        card.write(middle, top + 32, name, 32, color=GREY, ha="center")
        size = 68 if count < 10_000 else 52
        card.write(
            middle, top + 96, str(count), size, color=words.VERMILLION if alarming else INK, ha="center"
        )
        card.write(middle, top + 156, usual, 28, color=GREY, ha="center")


def _shares(card: Card, figures: Counted, top: float) -> None:
    gap = 20
    width = (INNER - 3 * gap) / 4
    for at, (name, share) in enumerate(words.shares(figures)):
        left = MARGIN + at * (width + gap)
        card.write(left, top + 16, name, 28, color=GREY)
        card.write(left, top + 64, words.percent(share), 46)
        card.box(left, top + 100, width, 12, PALE)
        card.box(left, top + 100, width * (share.percent or 0) / 100, 12, words.BLUE)
        card.write(left, top + 134, f"{share.numerator}/{share.denominator}", 26, color=GREY)
        if share.excluded:
            card.write(left + width, top + 134, f"{share.excluded} 件不计", 24, color=GREY, ha="right")
    for line, (name, durations) in enumerate((("首次回应", figures.answered), ("办结用时", figures.closing))):
        middle = top + 190 + line * 46
        card.write(MARGIN, middle, name, 30, color=GREY)
        card.write(MARGIN + 150, middle, words.spread(durations), 30)


def _days(card: Card, figures: Counted, top: float) -> None:
    card.write(MARGIN, top + 20, "近 14 天新报", 36)
    left = WIDTH - MARGIN
    for label in reversed(words.LABELS):
        left -= 60
        card.write(left, top + 20, words.LABELS[label], 28)
        card.box(left - 36, top + 7, 26, 26, words.COLOURS[label])
        left -= 58
    _bars(card, figures, top + 60, _CHART - 60 - _TICKS - 40)


def _bars(card: Card, figures: Counted, top: float, height: float) -> None:
    axes = card.axes(MARGIN, top, INNER, height, "days")
    places = range(len(figures.days))
    below = [0] * len(figures.days)
    for label, colour in words.COLOURS.items():
        counts = [day.opened.get(label, 0) for day in figures.days]
        axes.bar(
            places, counts, bottom=below, width=0.72, color=colour, edgecolor=PAPER, lw=1.5, label=label.value
        )
        below = [low + count for low, count in zip(below, counts, strict=True)]
    most = max(below, default=0)
    axes.set_xlim(-0.5, max(len(figures.days), 1) - 0.5)
    axes.set_ylim(0, max(most, 1) * 1.16)
    axes.set_yticks([])
    axes.set_xticks([])
    axes.set_frame_on(False)
    card.box(MARGIN, top + height, INNER, 2, GREY)
    step = INNER / max(len(figures.days), 1)
    for at, (day, total) in enumerate(zip(figures.days, below, strict=True)):
        middle = MARGIN + (at + 0.5) * step
        tall = height * total / (max(most, 1) * 1.16)
        last = at == len(figures.days) - 1
        if total:
            card.write(middle, top + height - tall - 20, str(total), 28, ha="center", zorder=9)
        ink = INK if last else GREY
        card.write(middle, top + height + 24, str(day.day.day), 28, color=ink, ha="center")
        if at == 0 or day.day.day == 1:
            card.write(middle, top + height + 58, f"{day.day.month}月", 24, color=GREY, ha="center")
    if not most:
        card.write(WIDTH / 2, top + height / 2, "14 天里没有新报", 32, color=GREY, ha="center")


def _areas(card: Card, figures: Counted, top: float) -> None:
    card.write(MARGIN, top + 20, "各处在办", 36)
    card.write(WIDTH - MARGIN, top + 20, "其中超时", 28, ha="right")
    card.box(WIDTH - MARGIN - 150, top + 7, 26, 26, words.VERMILLION)
    shown, rest = words.loads(figures)
    first = top + 76 + _ROW / 2
    if not shown:
        card.write(WIDTH / 2, first, "没有在办的事项", 32, color=GREY, ha="center")
        return
    left, room = MARGIN + 320, INNER - 320 - 230
    scale = room / max(area.counts.open for area in shown)
    for at, area in enumerate(shown):
        middle, counts = first + at * _ROW, area.counts
        card.write(MARGIN, middle, letters.fitted(area.name, 9.4), 32)
        card.box(left, middle - 17, counts.open * scale, 34, words.BLUE)
        card.box(left, middle - 17, counts.overdue * scale, 34, words.VERMILLION)
        card.write(left + counts.open * scale + 14, middle, words.told(counts), 30)
    if rest:
        card.write(MARGIN, first + len(shown) * _ROW, words.rest_of(rest), 32, color=GREY)
