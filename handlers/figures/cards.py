"""A picture of figures as it stands in the outbox: what is to be drawn. It is drawn when it is sent."""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

from handlers.context import Context
from handlers.figures.counting import count, gather
from handlers.figures.model import DigestKind, Figures, Period

_MARK = "card?"


@dataclass(frozen=True, slots=True)
class Card:
    """Which figures. at: the instant as of which they are counted, so that picture and text agree."""

    area: str
    period: Period
    kind: DigestKind | None
    at: datetime

    def __str__(self) -> str:
        instants = {"start": self.period.start, "end": self.period.end, "at": self.at}
        values = {name: at.astimezone(UTC).isoformat() for name, at in instants.items()}
        return _MARK + urlencode({"area": self.area, "kind": self.kind or ""} | values)

    @classmethod
    def read(cls, text: str) -> "Card | None":
        """None for what is no card: a file that is there already."""
        if not text.startswith(_MARK):
            return None
        values = dict(parse_qsl(text.removeprefix(_MARK)))
        start, end, at = (datetime.fromisoformat(values[name]) for name in ("start", "end", "at"))
        kind = DigestKind(values["kind"]) if "kind" in values else None
        return cls(values.get("area", ""), Period(start, end), kind, at)

    def figures(self, ctx: Context) -> Figures:
        """Those that the card shows; its times are the street's."""
        period = Period(ctx.local(self.period.start), ctx.local(self.period.end))
        return count(gather(ctx, period, kind=self.kind), self.area)


def card_of(ctx: Context, figures: Figures) -> str:
    """For Reply.picture."""
    return str(Card(figures.area, figures.period, figures.kind, ctx.now))
