"""Plain words in answer to the bot: 接单, 修好了, 不满意 又黑了, without a # and without a number.

A word counts where the message quotes one of the bot's, or follows it: the bot's message is the last one that
it sent there, at most `rules.plain_minutes` ago (in private however long ago), with at most three messages of
people in between, and none by somebody else where the word is one that people say for many reasons. And only
from somebody who may do just that to a ticket of which that message spoke. Anything else is ordinary chat and
is treated as if there were no plain words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from handlers import commands
from handlers.commands import target
from handlers.commands.change import may, possible_for
from handlers.commands.parsing import Parsed
from handlers.commands.plain_words import Note, Plain
from handlers.commands.registry import COMMANDS, Call
from handlers.context import Context
from handlers.incoming import Incoming
from handlers.lifecycle import ACTIONS
from handlers.permissions import Actor, Permission, could
from handlers.plain_reading import Said
from handlers.replies import answer
from handlers.tickets import actor_of
from handlers.wording import facts
from storage import messages, replies
from storage import tickets as store
from storage.tables import Message, Reply, Ticket, TicketEvent

_ASK = {"办结"}  # these ask for the note themselves, and wait for it
_BETWEEN = 3  # messages of people between the bot's and the answer

# The ticket that was spoken of, if one was; the outer None: it is ordinary chat.
Done = tuple[Ticket | None] | None


@dataclass(frozen=True, slots=True)
class Answered:
    """The message of the bot's that is answered, and how."""

    replies: Sequence[Reply]
    text: str
    quoted: bool
    close: bool  # nobody else spoke in between, and not long ago


@dataclass(frozen=True, slots=True)
class Hearing:
    """Somebody's word in answer to a message of the bot's."""

    ctx: Context
    incoming: Incoming
    actor: Actor
    said: Said
    answered: Answered

    def call(self, command: str, number: str) -> Call:
        return Call(COMMANDS[command], self.incoming, self.actor, number, self.said.note)


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that may be meant."""

    row: Plain
    ticket: Ticket
    argument: str


def handle(ctx: Context, incoming: Incoming, said: Said) -> Done:
    """Does what is meant and answers it. None where it is ordinary chat."""
    answered = _answered(ctx, incoming)
    if answered is None:
        return None
    heard = Hearing(ctx, incoming, actor_of(ctx, incoming), said, answered)
    if offered := _offered(heard):
        return (commands.run(ctx, incoming, offered),)
    found = _tickets(heard)
    choices = [choice for ticket in found if (choice := _choice(heard, ticket)) is not None]
    if len(choices) > 1:
        lines = target.lines(ctx, [choice.ticket for choice in choices])
        word, short = choices[0].row.word, f"{choices[0].ticket.running}"
        answer(ctx, incoming, ctx.texts("plain.which", word=word, short=short, lines=lines))
        return (None,)
    return _done(heard, choices[0]) if choices else _told_why_not(heard, found)


def _offered(heard: Hearing) -> Parsed | None:
    """A command about no ticket, in the words that the bot has just offered this person."""
    last = heard.answered.replies[0] if heard.answered.replies else None
    asked = heard.ctx.session.get(Message, last.message_id) if last and last.message_id else None
    if asked is None or asked.sender != heard.actor.id:
        return None
    for row in heard.said.rows:
        command = COMMANDS[row.command]
        if row.offered and f"“{row.word}”" in heard.answered.text and could(command.permission, heard.actor):
            return Parsed(command, "", row.argument)
    return None


def _done(heard: Hearing, choice: Choice) -> Done:
    ctx, command = heard.ctx, COMMANDS[choice.row.command]
    if choice.row.note in (Note.NEEDED, Note.NAME) and not heard.said.note and command.name not in _ASK:
        example = command.usage.replace("#", "").replace("[号] ", "").split("|")[0]
        text = ctx.texts("plain.note", **facts(ctx, choice.ticket), example=example)
        answer(ctx, heard.incoming, text, ticket=choice.ticket)
        return (choice.ticket,)
    parsed = Parsed(command, choice.ticket.number, choice.argument)
    return (commands.run(ctx, heard.incoming, parsed),)


def _told_why_not(heard: Hearing, found: Sequence[Ticket]) -> Done:
    """Who may, and quoted the one ticket, hears that it cannot be done now; everybody else chats."""
    if not heard.answered.quoted or len(found) != 1:
        return None
    [ticket] = found
    for row in heard.said.rows:
        call, command = heard.call(row.command, ticket.number), COMMANDS[row.command]
        plainly = not (row.soft or row.after or row.offered)
        if plainly and may(heard.ctx, call, ticket, command.permission):
            parsed = Parsed(command, ticket.number, _words(row.argument, heard.said.note))
            return (commands.run(heard.ctx, heard.incoming, parsed),)
    return None


def _answered(ctx: Context, incoming: Incoming) -> Answered | None:
    """What the message answers by quoting or by following it; None where that is nothing of the bot's."""
    person = incoming.sender if incoming.is_private else ""
    if incoming.quote is not None:
        id, text = incoming.quote.id, incoming.quote.text
        rows = replies.said_as(ctx.session, incoming.account, id, incoming.room, person) if id else []
        ours = rows or target.names_ticket(ctx, text)
        return Answered(rows, text, quoted=True, close=True) if ours else None
    message = ctx.session.get(Message, incoming.row_id)
    at = message.received_at if message else ctx.now
    rows = replies.last_said(ctx.session, incoming.account, incoming.room, person, at)
    if not rows or rows[0].sent_at is None:
        return None
    fresh = at - rows[0].sent_at <= timedelta(minutes=ctx.rules.plain_minutes)
    between = messages.since_said(ctx.session, rows[-1], incoming.row_id, _BETWEEN + 1)
    if not incoming.is_private and (not fresh or len(between) > _BETWEEN):
        return None
    alone = incoming.is_private or all(sender == incoming.sender for sender in between)
    return Answered(rows, "\n".join(row.text for row in rows), quoted=False, close=fresh and alone)


def _tickets(heard: Hearing) -> list[Ticket]:
    """The tickets of which the bot's message spoke; with a number that one."""
    number = heard.said.number
    call = heard.call(heard.said.rows[0].command, number)
    ids = list(dict.fromkeys(row.ticket_id for row in heard.answered.replies if row.ticket_id))
    if ids:
        found = [store.locked(heard.ctx.session, ticket_id) for ticket_id in ids]
    else:
        found = target.named_in(heard.ctx, call, heard.answered.text)
    if not number:
        return found
    wanted = [ticket for ticket in found if number in (ticket.number, str(ticket.running))]
    return wanted or target.numbered(heard.ctx, call)


def _choice(heard: Hearing, ticket: Ticket) -> Choice | None:
    """The first meaning that this person may do to the ticket as it stands."""
    for row in heard.said.rows:
        if row.offered or (row.soft and not _meant(heard, ticket)):
            continue
        before = _last_of_people(heard.ctx, ticket) if row.after else None
        if row.after and (before is None or before.action != row.after):
            continue
        if not _fits(heard, row, ticket):
            continue
        return Choice(row, ticket, _words(row.argument or (before.note if before else ""), heard.said.note))
    return None


def _words(*parts: str) -> str:
    return "，".join(part for part in parts if part)


def _fits(heard: Hearing, row: Plain, ticket: Ticket) -> bool:
    call, own = heard.call(row.command, ticket.number), COMMANDS[row.command].fits
    if own is not None and not row.action:
        return own(heard.ctx, call, ticket)
    return possible_for(heard.ctx, call, ticket, row.action)


def _meant(heard: Hearing, ticket: Ticket) -> bool:
    """Whether a word of many reasons is an answer to this: asked by name, in hand, or quoting."""
    if heard.answered.quoted:
        return True
    id = heard.actor.id
    called = any(mention["id"] == id for reply in heard.answered.replies for mention in reply.mentions)
    return heard.answered.close and (
        heard.incoming.is_private or called or id in (ticket.handler, ticket.owner)
    )


def _last_of_people(ctx: Context, ticket: Ticket) -> TicketEvent | None:
    """The last thing that a person did to the ticket; reminders and more reports do not count."""

    def by_the_bot(event: TicketEvent) -> bool:
        action = ACTIONS.get(event.action)
        return action is not None and action.permission is Permission.BOT

    found = [event for event in store.events(ctx.session, ticket.id) if not by_the_bot(event)]
    return found[-1] if found else None
