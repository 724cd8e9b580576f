"""What people put right, kept to learn from: masked, beside what the bot had taken it for."""

from dataclasses import dataclass

from classifiers.verdict import Label
from handlers.context import Context
from handlers.incoming import Incoming
from handlers.masking import mask
from handlers.organisation import Group
from storage import tickets as store
from storage.tables import Correction, CorrectionKind, Message, Ticket

_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Taken:
    """What something is taken for."""

    label: str
    urgency: int


FOR_NOTHING = Taken(Label.NONE, 0)


def of_message(
    ctx: Context, incoming: Incoming, kind: CorrectionKind, *, before: Taken, after: Taken, by: str
) -> None:
    group = ctx.organisation.group(incoming.room, incoming.room_topic)
    _keep(ctx, kind, incoming.row_id, incoming.text, incoming.sender, group, before, after, by)


def of_ticket(ctx: Context, ticket: Ticket, kind: CorrectionKind, *, by: str, after: Taken) -> None:
    """Call it before the change, while the ticket still says what the bot took it for."""
    first = store.reports(ctx.session, ticket.id)[0]
    message = ctx.session.get(Message, first.message_id)
    group = ctx.organisation.group(first.room, message.room_topic if message else "")
    before = Taken(ticket.label, ticket.urgency)
    _keep(ctx, kind, first.message_id, ticket.summary, first.reporter, group, before, after, by)


def _keep(
    ctx: Context,
    kind: CorrectionKind,
    message_id: int,
    text: str,
    sender: str,
    group: Group,
    before: Taken,
    after: Taken,
    by: str,
) -> None:
    ctx.session.add(
        Correction(
            at=ctx.now,
            kind=kind,
            message_id=message_id,
            text=mask(text[:_LONGEST]),
            role=ctx.organisation.role(sender),
            group_kind=group.kind,
            before_label=before.label,
            before_urgency=before.urgency,
            label=after.label,
            urgency=after.urgency,
            made_by=by,
        )
    )
