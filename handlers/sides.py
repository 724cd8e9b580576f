"""What a command did beside the ticket's own columns (units, orders, extensions), noted at its event.

`watch` remembers the rows when the ticket is found, `note` writes into the last event of the message what has
become of them: `data["rows"]`, a list of [table, id, before, after]. 撤销 puts them back by that.
"""

from typing import Any

from handlers.context import Context
from storage import sides as store
from storage import tickets
from storage.sides import Row, Rows
from storage.tables import Ticket, TicketEvent

_KEY = "rows beside tickets"
# The bot's own reminders change these; nobody has thereby acted.
_CLOCK = frozenset({"due_at", "reminders"})


def watch(ctx: Context, ticket: Ticket) -> None:
    """To be called with a ticket that was just locked, before anything is done about it."""
    watched: dict[int, Rows] = ctx.session.info.setdefault(_KEY, {})
    if ticket.id not in watched:
        watched[ticket.id] = store.of_ticket(ctx.session, ticket.id)


def forget(ctx: Context) -> None:
    """Nothing of an earlier message, which may have failed, is taken for this one's."""
    ctx.session.info.pop(_KEY, None)


def note(ctx: Context, message_id: int) -> None:
    """To be called when the message is done with."""
    watched: dict[int, Rows] = ctx.session.info.pop(_KEY, {})
    for ticket_id, before in watched.items():
        changed = _changed(before, store.of_ticket(ctx.session, ticket_id))
        event = tickets.last_event_by(ctx.session, ticket_id, message_id) if changed else None
        if event is not None:
            event.data = {**event.data, "rows": changed}


def _changed(before: Rows, after: Rows) -> list[list[Any]]:
    keys = dict.fromkeys([*before, *after])
    return [[*key, before.get(key), after.get(key)] for key in keys if before.get(key) != after.get(key)]


def still_so(ctx: Context, ticket: Ticket, event: TicketEvent) -> bool:
    """Whether the rows are as the event left them, but for the bot's reminders."""
    if not event.data.get("rows"):
        return True
    now = store.of_ticket(ctx.session, ticket.id)
    return all(_lasting(now.get((name, id))) == _lasting(left) for name, id, _, left in event.data["rows"])


def _lasting(row: Row | None) -> Row | None:
    return {name: value for name, value in row.items() if name not in _CLOCK} if row else None


def put_back(ctx: Context, event: TicketEvent) -> None:
    """Makes the rows what they were before the event."""
    for name, id, before, _ in reversed(event.data.get("rows", [])):
        store.put_back(ctx.session, name, id, before)
