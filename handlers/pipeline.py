"""What a message is, and what is done about it. Reading needs no database; handling runs in a savepoint."""

from dataclasses import dataclass, replace
from datetime import timedelta

from classifiers.verdict import NOTHING, Sample, Turn, Verdict
from handlers import (
    answers,
    commands,
    followups,
    joining,
    joint_answers,
    orders,
    plain,
    reports,
    reviews,
    sides,
)
from handlers.context import Context, World
from handlers.incoming import Incoming, MessageKind
from handlers.opening import Decision, decide
from handlers.organisation import Organisation, Role
from handlers.plain_reading import Said, candidate
from handlers.replies import answer
from storage import replies as outbox
from storage.tables import Outcome, Ticket

_LOOP_WINDOW = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message is taken for. `quiet`: nothing is to be done, `outcome` says why."""

    verdict: Verdict = NOTHING
    command: commands.Parsed | None = None
    asked: bool = False  # said to the bot itself, and not understood: it says what it understands
    weak: bool = False  # opens nothing by itself, but may belong to something
    review: bool = False  # perhaps a report: a coordinator decides
    code: str = ""  # a joining code, or what looks like one
    outcome: Outcome = Outcome.NONE
    quiet: bool = True
    waited_for: bool = False  # the bot asked the sender something here
    # What it is if there is something that it can be about; else what the rest says.
    answer: joint_answers.Answer | None = None  # of a unit that joins in
    claim: orders.Claim | None = None  # of an order, in a volunteers' group
    word: Said | None = None  # a word in answer to the bot
    chatter: bool = False  # nothing is to be done if it is no such word

    @property
    def leaves_alone(self) -> bool:
        """Whether nothing can come of it, whatever the database holds."""
        return self.quiet and not self.waited_for and self.answer is None and self.claim is None


@dataclass(frozen=True, slots=True)
class Handled:
    outcome: Outcome
    ticket_id: int | None = None


_IGNORED = Reading(outcome=Outcome.IGNORED)


def read(world: World, incoming: Incoming, before: tuple[Turn, ...] = ()) -> Reading:
    """Takes the message for a command, a report, a picture, an answer or nothing. `before`: see Sample."""
    reading = _read(world, incoming, before)
    if reading.outcome is Outcome.IGNORED:
        return reading
    said = joint_answers.heard(world.organisation, incoming, reading.command)
    claim = orders.heard(world.organisation, incoming, reading.command)
    return replace(reading, answer=said, claim=claim) if said or claim else reading


def _read(world: World, incoming: Incoming, before: tuple[Turn, ...]) -> Reading:
    organisation = world.organisation
    if incoming.from_self or incoming.sender == incoming.account:
        return _IGNORED
    role = organisation.role(incoming.sender)
    bound = incoming.is_private or organisation.bound_group(incoming.room, incoming.room_topic)
    served = world.rules.serve != "bound" or bound
    if role is Role.BOT or not (served or _would_bind(organisation, incoming)):
        return _IGNORED
    if incoming.kind is MessageKind.IMAGE:
        return Reading(quiet=False)
    if incoming.kind is not MessageKind.TEXT or not incoming.text.strip():
        return _IGNORED
    if code := joining.code_in(incoming):
        return Reading(code=code, quiet=False)
    said = candidate(incoming.text) if incoming.account not in incoming.mentions else None
    reading = _read_text(world, incoming, before, plain_word=said is not None)
    return replace(reading, word=said, chatter=reading.quiet, quiet=False) if said else reading


def _read_text(world: World, incoming: Incoming, before: tuple[Turn, ...], *, plain_word: bool) -> Reading:
    """What the text is taken for by itself."""
    organisation = world.organisation
    role = organisation.role(incoming.sender)
    group = organisation.group(incoming.room, incoming.room_topic)
    addressed = _addressed(organisation, incoming, quoting=not plain_word)
    parsed = commands.parse(incoming.text, addressed=addressed)
    if parsed is not None:
        return Reading(command=parsed, quiet=False)
    if _is_our_own_words(organisation.street_code, incoming.text):
        return Reading()
    verdict = world.classifier.classify(Sample(incoming.text, role, group.kind, incoming.sender, before))
    decision = decide(world.rules.opening, verdict, group.kind)
    if decision is Decision.OPEN:
        return Reading(verdict.as_report(), quiet=False)
    asked = incoming.is_private or incoming.account in incoming.mentions
    review = decision is Decision.REVIEW
    weak = followups.worth_a_look(incoming, verdict)
    return Reading(verdict, asked=asked, weak=weak, review=review, quiet=not (asked or weak or review))


def _would_bind(organisation: Organisation, incoming: Incoming) -> bool:
    """What alone is heard in a group that nobody has bound: a code, or the command for one."""
    if joining.code_in(incoming):
        return True
    if incoming.kind is not MessageKind.TEXT:
        return False
    parsed = commands.parse(incoming.text, addressed=_addressed(organisation, incoming, quoting=True))
    return parsed is not None and parsed.command.name in commands.BINDING


def _addressed(organisation: Organisation, incoming: Incoming, *, quoting: bool) -> bool:
    """Said to the bot: in private, by mention or, where that counts, in answer to one of its messages."""
    if incoming.is_private or incoming.account in incoming.mentions:
        return True
    return (
        quoting
        and incoming.quote is not None
        and _is_our_own_words(organisation.street_code, incoming.quote.text)
    )


def _is_our_own_words(street_code: str, text: str) -> bool:
    """A ticket number up front: somebody passes on what the bot said. It is no new matter."""
    start = text.lstrip("【[「 ")
    return start.startswith(street_code) and start[len(street_code) : len(street_code) + 4].isdigit()


def handle(ctx: Context, incoming: Incoming, reading: Reading) -> Handled:
    """Does what the reading asks for: tickets, events and replies, in the caller's transaction."""
    sides.forget(ctx)
    handled = _handle(ctx, incoming, reading)
    sides.note(ctx, incoming.row_id)
    return handled


def _handle(ctx: Context, incoming: Incoming, reading: Reading) -> Handled:
    asked = replace(ctx, commanded=(incoming.account, incoming.room))
    if reading.answer is not None and (ticket := joint_answers.handle(asked, incoming, reading.answer)):
        if reading.verdict.urgency == 3 > ticket.urgency:  # what it says besides is worse than was known
            return _handled(*reports.handle_report(ctx, incoming, reading.verdict))
        return _handled(Outcome.COMMAND, ticket)
    if reading.claim is not None and (ticket := orders.handle(asked, incoming, reading.claim)):
        return _handled(Outcome.COMMAND, ticket)
    if (handled := _answered(asked, incoming, reading)) is not None:
        return handled
    if reading.quiet:
        return Handled(reading.outcome)
    if (word := _plain_word(reading)) is not None and (done := plain.handle(ctx, incoming, word)) is not None:
        return _handled(Outcome.COMMAND, *done)
    if reading.chatter:
        return Handled(reading.outcome)
    if reading.weak and (found := followups.handle(ctx, incoming, reading.verdict)) is not None:
        return _handled(*found)
    if reading.review:
        reviews.put(ctx, incoming, reading.verdict, asked=reading.asked)
        return Handled(Outcome.REVIEW)
    # Danger is never taken for a loop: it joins its ticket, of which is told only now and then.
    reports_danger = reading.verdict.urgency == 3 or _is_report_command(reading)
    if not reports_danger and _talks_in_circles(ctx, incoming):
        return Handled(Outcome.IGNORED)
    if reading.code:
        joining.take(ctx, incoming, reading.code, asked=incoming.is_private)
        return Handled(Outcome.COMMAND)
    if reading.command is not None:
        ticket = commands.run(ctx, incoming, reading.command)
        return _handled(Outcome.COMMAND, ticket)
    if reading.asked:
        answer(ctx, incoming, ctx.texts("command.hint"))
        return Handled(Outcome.COMMAND)
    if reading.weak:
        return Handled(Outcome.NONE)
    if incoming.kind is MessageKind.IMAGE:
        return _handled(*reports.handle_picture(ctx, incoming))
    return _handled(*reports.handle_report(ctx, incoming, reading.verdict))


def _plain_word(reading: Reading) -> Said | None:
    """好的 to what the bot asked means only that the answer will come."""
    if reading.waited_for and reading.word is not None and all(row.soft for row in reading.word.rows):
        return None
    return reading.word


def _answered(ctx: Context, incoming: Incoming, reading: Reading) -> Handled | None:
    """What the bot asked this person for; danger that is told in it is a report too."""
    if not reading.waited_for or reading.command is not None or reading.code:
        return None
    worth_a_ticket = not (reading.quiet or reading.chatter or reading.weak or reading.review)
    verdict = reading.verdict if worth_a_ticket or reading.verdict.urgency == 3 else NOTHING
    found = answers.handle(ctx, incoming, reading.word, verdict)
    if found is None:
        return None
    ticket, danger = found
    if danger and not reading.quiet:
        return _handled(*reports.handle_report(ctx, incoming, reading.verdict.as_report()))
    return _handled(Outcome.COMMAND, ticket)


def _handled(outcome: Outcome, ticket: Ticket | None) -> Handled:
    return Handled(outcome, ticket.id if ticket else None)


def _is_report_command(reading: Reading) -> bool:
    """#报 may tell of danger: what it says is read only when it is done."""
    return reading.command is not None and reading.command.command.name == "报"


def _talks_in_circles(ctx: Context, incoming: Incoming) -> bool:
    """Whether the sender drew so many answers lately that it must be another bot. Staff never is."""
    if ctx.organisation.person(incoming.sender) is not None:
        return False
    since = ctx.now - _LOOP_WINDOW
    answers = outbox.count_to(ctx.session, incoming.account, incoming.room, incoming.sender, since)
    return answers >= ctx.rules.loop_replies


def tell_failure(ctx: Context, incoming: Incoming, reference: str) -> None:
    """A command that could not be done is answered with the number that finds the log line."""
    answer(ctx, incoming, ctx.texts("command.failed", reference=reference), key="failed")
