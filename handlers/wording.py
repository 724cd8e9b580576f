"""Pieces of sentences that several messages share."""

from datetime import datetime

from handlers.context import Context
from handlers.organisation import Person
from storage.tables import Ticket


def at(people: list[Person] | Person | None, nobody: str = "") -> str:
    """ "@周网格长 " for the networks that notify by name; ids travel beside the text."""
    if isinstance(people, Person):
        people = [people]
    return "".join(f"@{person.name} " for person in people) if people else nobody


def label_of(ctx: Context, label: str) -> str:
    return ctx.texts(f"names.label.{label}")


def state_of(ctx: Context, state: str) -> str:
    return ctx.texts(f"names.state.{state}")


def place_of(ticket: Ticket) -> str:
    """ "，江岸大厦负二楼", or nothing where no place is known."""
    return f"，{ticket.place}" if ticket.place else ""


def clock_of(ctx: Context, instant: datetime) -> str:
    """18:05 of today, 7月12日 18:05 of another day; street's zone."""
    local, today = ctx.local(instant), ctx.local(ctx.now)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local.month}月{local.day}日 {local:%H:%M}"


def shorten(text: str, length: int = 60) -> str:
    """One line of at most `length` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def spoken(note: str) -> str:
    """A note within a sentence: one line, bounded, without a full stop of its own."""
    return shorten(note, 200).rstrip("。.;；,， ")


def facts(ctx: Context, ticket: Ticket) -> dict[str, str]:
    """What every template about a ticket may use."""
    return {
        "number": ticket.number,
        "short": f"{ticket.running}",
        "label": label_of(ctx, ticket.label),
        "state": state_of(ctx, ticket.state),
        "place": place_of(ticket),
        "summary": shorten(ticket.summary),
        "reporter": ticket.reporter_name,
        "again": ctx.texts("names.again") if ticket.recurring else "",
        "who": who_has(ctx, ticket),
        "other": ctx.texts(f"names.other.{ticket.level}"),
    }


def who_has(ctx: Context, ticket: Ticket) -> str:
    """The name of who has the ticket in hand, else of who answers for it."""
    owner = ctx.organisation.person(ticket.owner or "")
    return ticket.handler_name or (owner.name if owner else ctx.texts("report.nobody"))
