"""The answer to what the bot asked one person: the next plain thing that he says there.

Commands, questions, words to somebody else and politeness are none; the bot goes on waiting. Who never
answers is not asked again: a 不满意 then counts without a reason, everything else is left as it is.
"""

import re

from classifiers.verdict import Verdict
from handlers import commands, questions
from handlers.commands.change import possible_for
from handlers.commands.parsing import Parsed
from handlers.commands.registry import COMMANDS, GOES_ON, Call
from handlers.context import Context
from handlers.incoming import Incoming, MessageKind
from handlers.permissions import Actor
from handlers.plain_reading import Said
from handlers.shapes import doubted, settled
from handlers.tickets import actor_of
from storage import questions as store
from storage import tickets as ticket_store
from storage.tables import Message, Question, Ticket

_LONGEST = 300  # characters: whoever writes more tells something else
_ASKS = re.compile(r"[?？]\W*$|[吗么没]\W*$")
_NOT_YET = re.compile(
    r"(?:等(?:一?下|会儿?|等)|稍等|马上|在弄|不急|嗯+|哦+|噢|好+的?|谢谢.{0,4}|在的?|[0-9]{1,3})\W*"
)
_CANCELLED = re.compile(r"(?:算了|不用了|取消|点错了?|发错了?|没事了?)\W*")
# 阀门换了, 水排干了: what reads like a report, and still tells how it was done.
_DONE = re.compile(
    r"(?:修|换|接|抽|清|排|补|装|疏|拆|运|处理|处置|弄|搞|劝|扫|关|加固|转移|围|联系|通知|解释)"
    r".{0,6}(?:了|好|完|干|净|通|走|开|妥)|已经?"
)
_AROUND = " \t\n　,，:：、.。!！；;"


def handle(
    ctx: Context, incoming: Incoming, said: Said | None, verdict: Verdict
) -> tuple[Ticket | None, bool] | None:
    """Takes the message for the answer: the ticket, and whether danger is told besides; None if it is none.

    said: the plain words that it may be. verdict: what it is by itself, where it is worth a ticket.
    """
    question = store.of(ctx.session, questions.where(incoming), ctx.now)
    if question is None or not _answers(incoming, said, question):
        return None
    text = incoming.text.strip(_AROUND)
    if _CANCELLED.fullmatch(text):
        store.forget(ctx.session, questions.where(incoming))
        return None
    complaint = question.command in GOES_ON
    danger = verdict.urgency == 3
    if not complaint and (_ASKS.search(text) or (verdict.is_report and not _tells_how(text, danger=danger))):
        return None
    if not _still(ctx, incoming, actor_of(ctx, incoming), question):
        store.forget(ctx.session, questions.where(incoming))
        return None
    ticket = commands.run(ctx, incoming, _parsed(question, said.note if said else text))
    return ticket, danger and complaint


def _tells_how(text: str, *, danger: bool) -> bool:
    """Whether what reads like a report says that it is over; of danger that has to be said plainly."""
    return settled(text) or (not danger and _DONE.search(text) is not None and not doubted(text))


def _answers(incoming: Incoming, said: Said | None, question: Question) -> bool:
    """Whether the words may be meant for the bot."""
    text = incoming.text.strip(_AROUND)
    if incoming.kind is not MessageKind.TEXT or not 2 <= len(text) <= _LONGEST or text[0] in "#＃":
        return False
    if [mention for mention in incoming.mentions if mention != incoming.account]:
        return False
    if incoming.quote is not None and question.number not in incoming.quote.text:
        return False
    if said is not None and not (said.note and question.command in {row.command for row in said.rows}):
        return False
    return _NOT_YET.fullmatch(text) is None


def _still(ctx: Context, incoming: Incoming, actor: Actor, question: Question) -> bool:
    """Whether what was asked about can be done still."""
    ticket = ticket_store.locked(ctx.session, question.ticket_id)
    call = Call(COMMANDS[question.command], incoming, actor, question.number, "")
    return possible_for(ctx, call, ticket)


def _parsed(question: Question, note: str) -> Parsed:
    words = "，".join(part for part in (question.argument, note) if part)
    return Parsed(COMMANDS[question.command], question.number, words)


def lapse(ctx: Context, limit: int) -> int:
    """What nobody answered in time; how many there were."""
    found = store.take_lapsed(ctx.session, ctx.now, limit)
    for question in found:
        message = ctx.session.get(Message, question.message_id)
        if question.command not in GOES_ON or message is None:
            continue
        incoming = _as_said(message)
        if _still(ctx, incoming, actor_of(ctx, incoming), question):
            commands.run(ctx, incoming, _parsed(question, ctx.texts("command.no_reason")))
    return len(found)


def _as_said(message: Message) -> Incoming:
    return Incoming(
        account=message.account,
        id=message.external_id,
        room=message.room,
        room_topic=message.room_topic,
        sender=message.sender,
        sender_name=message.sender_name,
        sent_at=message.sent_at,
        text=message.text,
        row_id=message.id,
    )
