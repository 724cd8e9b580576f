"""Messages that may be reports: put before a coordinator, who decides with one tap."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from classifiers.verdict import Label, Verdict, certain
from handlers import corrections, records, reports, tickets
from handlers.context import Context
from handlers.corrections import FOR_NOTHING, Taken
from handlers.incoming import Incoming
from handlers.organisation import Role
from handlers.permissions import Actor
from handlers.replies import answer, place_of, say
from handlers.sight import leads
from handlers.wording import shorten
from storage import reviews as store
from storage.tables import CorrectionKind, Message, Outcome, Review, ReviewState, Ticket

OPINION = Actor("opinion", "第二意见", Role.BOT)


class Choice(StrEnum):
    """What can be decided: as suggested, nothing, or a report of another label."""

    ACCEPT = "accept"
    IGNORE = "ignore"
    FLOOD = "flood"
    DISPUTE = "dispute"
    SAFETY = "safety"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Decided:
    """`now`: by this very call; otherwise it was decided before and nothing was changed."""

    review: Review
    now: bool


def put(ctx: Context, incoming: Incoming, verdict: Verdict, *, asked: bool) -> None:
    """Puts the message on the list. The group hears nothing; who asked the bot itself is answered."""
    taken = verdict.as_report()
    ctx.session.add(
        Review(
            message_id=incoming.row_id,
            account=incoming.account,
            room=incoming.room,
            label=taken.label,
            urgency=max(1, taken.urgency),
            chance=verdict.chance,
            made_at=ctx.now,
            expires_at=ctx.now + timedelta(hours=ctx.rules.review_hours),
        )
    )
    if asked:
        answer(ctx, incoming, ctx.texts("review.asked"))


def may_decide(ctx: Context, actor: Actor, message: Message) -> bool:
    """A coordinator of the group's area; of what was said in private one of the street."""
    group = ctx.organisation.group(message.room, message.room_topic) if message.room else None
    return leads(ctx.organisation, actor, group.area if group else "")


def decide(ctx: Context, incoming: Incoming, choice: Choice, by: Actor) -> Decided | None:
    """Does what was decided, once. `incoming`: the message; None where it never was on the list."""
    review = store.locked(ctx.session, incoming.row_id)
    if review is None:
        return None
    if review.state != ReviewState.WAITING:
        return Decided(review, now=False)
    before = after = Taken(review.label, review.urgency)
    if choice is Choice.IGNORE:
        review.state, after = ReviewState.IGNORED, FOR_NOTHING
    else:
        label = Label(review.label if choice is Choice.ACCEPT else choice)
        review.state = ReviewState.ACCEPTED if label == review.label else ReviewState.RELABELLED
        after = Taken(label, review.urgency)
        review.ticket_id = _report(ctx, incoming, review, label, by).id
    review.decided_by, review.decided_at = by.id, ctx.now
    was, now = (
        {"state": ReviewState.WAITING, "label": before.label},
        {"state": review.state, "label": after.label},
    )
    records.note(ctx, by, "review", f"message:{incoming.row_id}", before=was, after=now)
    ctx.session.add(review)
    if by is not OPINION:  # to learn from: a machine's guess is none
        corrections.of_message(ctx, incoming, CorrectionKind.REVIEW, before=before, after=after, by=by.id)
    return Decided(review, now=True)


def _report(ctx: Context, incoming: Incoming, review: Review, label: Label, by: Actor) -> Ticket:
    """Opens a ticket or joins one, as if the bot had been sure at once."""
    message = ctx.session.get_one(Message, incoming.row_id)
    verdict = certain(label, review.urgency, message.place or "", tuple(message.evidence or ()))
    outcome, ticket = reports.handle_report(ctx, incoming, verdict, sure=True)
    tickets.record(ctx, ticket, "review", by, message_id=incoming.row_id)
    message.outcome, message.ticket_id = outcome, ticket.id
    ctx.session.add(message)
    if outcome is Outcome.OPENED:
        _say_which(ctx, incoming, ticket)
    return ticket


def _say_which(ctx: Context, incoming: Incoming, ticket: Ticket) -> None:
    """Much may have been said since: names whose words became a ticket."""
    said = {"number": ticket.number, "reporter": ticket.reporter_name, "summary": shorten(incoming.text)}
    say(
        ctx,
        place_of(incoming),
        ctx.texts("review.which", **said),
        key=f"m{incoming.row_id}:which",
        ticket=ticket,
        message_id=incoming.row_id,
        urgency=ticket.urgency,
    )
