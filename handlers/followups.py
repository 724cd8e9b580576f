"""What a message that opens nothing by itself may still be: settled, one more witness, or part of a thought.

Looked at only where there is reason to: the message might be a report, is short, or sounds settled.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from classifiers.verdict import Sample, Verdict
from handlers import incidents, reports, tickets
from handlers.context import Context
from handlers.incoming import Incoming
from handlers.lifecycle import State
from handlers.opening import Decision, decide
from handlers.organisation import Role
from handlers.replies import place_of, say
from handlers.routing import area_of
from handlers.shapes import WITNESS, settled
from handlers.wording import at, facts
from storage import messages
from storage import tickets as store
from storage.messages import Fragment
from storage.tables import Outcome, Ticket

_FAINT = 0.1  # chance of being a report below which a message is taken for chatter
# Chance from which it is noted, in a witness's words (我也闻到) and in others: banter makes no reporters.
_WITNESS, _OTHER = 0.5, 0.8
_SHORT, _LONG = 12, 80  # characters: may be a piece of a thought; tells a whole one
_STAFF = {Role.GRID_WORKER, Role.GRID_OWNER, Role.COORDINATOR, Role.UNIT}

Done = tuple[Outcome, Ticket | None]


def worth_a_look(incoming: Incoming, verdict: Verdict) -> bool:
    """Without a look into the database."""
    if verdict.chance >= _FAINT or settled(incoming.text):
        return True
    return len(incoming.text) <= _SHORT and any(character.isdigit() for character in incoming.text)


def handle(ctx: Context, incoming: Incoming, verdict: Verdict) -> Done | None:
    """What it turned out to be, None where nothing is to be done about it."""
    if settled(incoming.text) and (ticket := _propose_closing(ctx, incoming)):
        return Outcome.NONE, ticket
    sender = ctx.organisation.person(incoming.sender)
    if sender is not None and sender.has(*_STAFF):
        return None  # who works on a matter speaks of it all the time
    tickets.lock_openings(ctx)
    return _joined(ctx, incoming, verdict) or _put_together(ctx, incoming, verdict)


def _joined(ctx: Context, incoming: Incoming, verdict: Verdict) -> Done | None:
    """A weak witness: noted at a ticket that it is very likely about, without a word in the group."""
    leaning = verdict.as_report()
    needed = _WITNESS if WITNESS.search(incoming.text) else _OTHER
    if not leaning.is_report or verdict.chance < needed:
        return None
    match = incidents.find(ctx, incoming, leaning, area_of(ctx, incoming))
    if match is None or match.likeness < ctx.rules.linking.weak:
        return None
    reports.join(ctx, match.ticket, incoming, leaning, quiet=True)
    return Outcome.JOINED, match.ticket


def _put_together(ctx: Context, incoming: Incoming, verdict: Verdict) -> Done | None:
    """A thought told in pieces: what its sender said just before is read with it."""
    seconds = ctx.rules.linking.fragment_seconds
    if not seconds or len(incoming.text) > _LONG or incoming.is_private:
        return None
    before = messages.fragments(
        ctx.session,
        account=incoming.account,
        room=incoming.room,
        sender=incoming.sender,
        before=incoming.row_id,
        since=ctx.now - timedelta(seconds=seconds),
    )
    pieces = [piece for piece in before if len(piece.text) <= _LONG]
    faint = verdict.chance >= _FAINT or any(piece.chance >= _FAINT for piece in pieces)
    if not pieces or not faint:
        return None
    whole = replace(incoming, text="\n".join([*(piece.text for piece in pieces), incoming.text]))
    return _report(ctx, whole, pieces)


def _report(ctx: Context, whole: Incoming, pieces: Sequence[Fragment]) -> Done | None:
    group = ctx.organisation.group(whole.room, whole.room_topic)
    role = ctx.organisation.role(whole.sender)
    verdict = ctx.world.classifier.classify(Sample(whole.text, role=role, group_kind=group.kind))
    if decide(ctx.rules.opening, verdict, group.kind) is not Decision.OPEN:
        return None
    outcome, ticket = reports.handle_report(ctx, whole, verdict.as_report())
    for piece in pieces:
        store.attach_message(ctx.session, piece.id, ticket.id)
    return outcome, ticket


def _propose_closing(ctx: Context, incoming: Incoming) -> Ticket | None:
    """误会, 修好了: said by who opened it or answers for it. A person decides; nobody is asked twice.

    Not by a witness: 来电了 is good news of his own house.
    """
    found = store.told_by(
        ctx.session,
        account=incoming.account,
        room=incoming.room,
        person=incoming.sender,
        since=ctx.now - timedelta(hours=ctx.rules.linking.window_hours),
    )
    if len(found) != 1:
        return None  # none of his, or more than one: which is meant is not to be guessed
    ticket = store.locked(ctx.session, found[0])
    if incoming.sender not in {ticket.reporter, ticket.owner}:
        return None
    said = {event.action for event in store.events(ctx.session, ticket.id)}
    if ticket.state == State.CLOSED or "settled" in said:
        return None
    actor = tickets.actor_of(ctx, incoming)
    tickets.record(ctx, ticket, "settled", actor, note=incoming.text[:200], message_id=incoming.row_id)
    owner = ctx.organisation.person(ticket.owner or "")
    values = facts(ctx, ticket) | {"actor": actor.name, "owner": at(owner, ctx.texts("report.nobody"))}
    say(
        ctx,
        place_of(incoming),
        ctx.texts("report.settled", **values),
        key=f"m{incoming.row_id}:settled",
        ticket=ticket,
        message_id=incoming.row_id,
        mentions=[owner] if owner else [],
        urgency=1,
    )
    return ticket
