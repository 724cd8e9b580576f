"""A message that may be a report: open a ticket, join an open one, or leave it."""

from datetime import timedelta

from classifiers.verdict import Label, Sample, Verdict, certain
from handlers import care_alerts, incidents, recurring, tickets, tracks
from handlers.context import Context
from handlers.hotlines import hotline
from handlers.incoming import Incoming
from handlers.lifecycle import State, path
from handlers.opening import Decision, decide
from handlers.organisation import Person
from handlers.permissions import BOT
from handlers.replies import Place, command_places, place_of, reporting_places, say
from handlers.routing import area_of, home, owner_hears
from handlers.track_rules import Track
from handlers.wording import at, facts, shorten
from storage import replies as outbox
from storage import tickets as store
from storage.tables import Outcome, Ticket

# A join is told once in a while, not for every witness: the group is left in peace.
_JOIN_PAUSE = timedelta(minutes=10)


def handle_report(
    ctx: Context, incoming: Incoming, verdict: Verdict, *, sure: bool = False
) -> tuple[Outcome, Ticket]:
    """A report that is worth a ticket: joins the open ticket of the same matter, else opens one.

    sure: a person said that it is a report, and its sender hears what became of it.
    """
    tickets.lock_openings(ctx)
    area = area_of(ctx, incoming)
    match = incidents.find(ctx, incoming, verdict, area)
    if match is not None:
        # A group that knows of the ticket is told of what is a report even without the talk before it.
        quiet = match.here and not sure and not _plain(ctx, incoming)
        join(ctx, match.ticket, incoming, verdict, quiet=quiet)
        return Outcome.JOINED, match.ticket
    return Outcome.OPENED, open_and_tell(ctx, incoming, verdict, incoming.text)


def _plain(ctx: Context, incoming: Incoming) -> bool:
    """Whether it would open a ticket were it said out of the blue."""
    group = ctx.organisation.group(incoming.room, incoming.room_topic)
    sample = Sample(incoming.text, ctx.organisation.role(incoming.sender), group.kind)
    verdict = ctx.world.classifier.classify(sample)
    return decide(ctx.rules.opening, verdict, group.kind) is Decision.OPEN


def open_and_tell(ctx: Context, incoming: Incoming, verdict: Verdict, text: str) -> Ticket:
    """Opens a ticket and writes the answers: into the group and, where needed, to the coordinators."""
    area = area_of(ctx, incoming)
    concerned = care_alerts.concerned(ctx, incoming, area)
    verdict = care_alerts.raised(verdict, concerned)
    ticket = tickets.open_ticket(ctx, incoming, verdict, area, text, care=bool(concerned))
    _take_pictures(ctx, ticket, incoming)
    _tell_opened(ctx, ticket, incoming)
    recurring.look(ctx, ticket, incoming.row_id)
    care_alerts.tell(ctx, ticket, incoming, concerned)
    return ticket


def _tell_opened(ctx: Context, ticket: Ticket, incoming: Incoming) -> None:
    key = f"m{incoming.row_id}:opened"
    if ticket.urgency == 3:
        _tell_danger(ctx, ticket, incoming, "urgent", key)
        return
    homes = home(ctx, ticket, incoming)
    command = [] if homes else command_places(ctx, ticket.account, ticket.area)
    # Nobody who could take it reads along: a private chat, or a group without its grid owner.
    unheard = not owner_hears(ctx, ticket, incoming) and place_of(incoming) not in command
    kind = "opened_home" if homes else "opened_command" if unheard and command else "opened"
    owner = ctx.organisation.person(ticket.owner or "")
    shown = facts(ctx, ticket) | {"owner": _call(ctx, ticket)}
    text = ctx.texts(f"report.{kind}", **shown, area=ctx.organisation.area_name(ticket.area))
    asks = kind == "opened" and not incoming.is_private
    say(
        ctx,
        place_of(incoming),
        text + ctx.texts("next.opened", **shown) if asks else text,
        key=key,
        ticket=ticket,
        message_id=incoming.row_id,
        mentions=[owner] if owner and asks else [],
        urgency=ticket.urgency,
    )
    if kind != "opened":
        template = "to_home" if homes else "to_command"
        _tell_command(ctx, ticket, incoming, template, homes or command[:1], shown, key)
    if ticket.track == Track.LARGE and kind != "opened_command":
        tracks.tell_watchers(ctx, ticket, key, message_id=incoming.row_id)


def join(
    ctx: Context,
    ticket: Ticket,
    incoming: Incoming,
    verdict: Verdict,
    *,
    asked: bool = False,
    quiet: bool = False,
) -> None:
    """Another report of an open ticket: noted, told now and then, and urgent when it got worse.

    asked: it came by command, and who asks is answered. quiet: it may be none, and is told only when worse.
    """
    # Talk that only may belong to it is no report of somebody in need.
    concerned = care_alerts.concerned(ctx, incoming, area_of(ctx, incoming)) if verdict.is_report else []
    verdict = care_alerts.raised(verdict, concerned)
    tickets.add_report(ctx, ticket, incoming, incoming.text)
    actor = tickets.actor_of(ctx, incoming)
    note, changes = shorten(incoming.text, 200), _complete(ctx, ticket, incoming, verdict)
    event = tickets.act(ctx, ticket, "join", actor, note=note, message_id=incoming.row_id, changes=changes)
    if concerned:
        event.data = {**event.data, "care": True}
    _take_pictures(ctx, ticket, incoming)
    if tracks.became_large(event):
        tracks.tell_watchers(ctx, ticket, f"e{event.id}", message_id=incoming.row_id)
    if "place" in changes:
        recurring.look(ctx, ticket, incoming.row_id)
    worse = verdict.urgency > ticket.urgency
    if worse:
        raise_urgency(ctx, ticket, incoming, verdict.urgency)
    if not quiet and not (worse and ticket.urgency == 3):
        _tell_joined(ctx, ticket, incoming, verdict, asked=asked)
    care_alerts.tell(ctx, ticket, incoming, concerned)


def _complete(ctx: Context, ticket: Ticket, incoming: Incoming, verdict: Verdict) -> dict[str, str]:
    """What its reporter adds at once belongs to what the ticket tells, and says where it is."""
    changes = {"place": verdict.place} if verdict.place and not ticket.place else {}
    at_once = ctx.now - ticket.opened_at <= timedelta(seconds=ctx.rules.linking.fragment_seconds)
    if at_once and incoming.sender == ticket.reporter:
        changes["summary"] = f"{ticket.summary}；{incoming.text}"[:500]
    return changes


def _tell_joined(ctx: Context, ticket: Ticket, incoming: Incoming, verdict: Verdict, *, asked: bool) -> None:
    """Once in a while for each place; a number to call that was not named yet is named at once."""
    number = hotline(verdict.label, incoming.text) if verdict.urgency == 3 else ""
    place = place_of(incoming)
    key = f"joined{number}"
    since = ctx.now - _JOIN_PAUSE
    told_as = f":{key}:{place.key}"
    if not asked and outbox.said_lately(ctx.session, ticket.id, place.room, told_as, since):
        return
    count = store.count_reports(ctx.session, ticket.id)
    template = "joined_urgent" if number else "joined" if count > 1 else "joined_own"
    values = facts(ctx, ticket) | {"count": str(count), "hotline": number}
    say(
        ctx,
        place,
        ctx.texts(f"report.{template}", **values),
        key=f"m{incoming.row_id}:{key}",
        ticket=ticket,
        message_id=incoming.row_id,
        urgency=verdict.urgency,
    )
    if number:  # perhaps somebody else in danger: the coordinators see what was said
        told = {place, *reporting_places(ctx, ticket)}
        above = [p for p in command_places(ctx, ticket.account, ticket.area) if p not in told]
        _tell_command(ctx, ticket, incoming, "more", above, values, f"m{incoming.row_id}:{key}")


def raise_urgency(ctx: Context, ticket: Ticket, incoming: Incoming, urgency: int) -> None:
    """A change for the worse: the clock starts anew and, in danger, everybody responsible is called."""
    before = ticket.urgency
    if urgency == 3 and path("wake", State(ticket.state)) is not None:
        tickets.act(ctx, ticket, "wake", BOT, message_id=incoming.row_id)
    changes = {"urgency": urgency, "clock_from": ctx.now, "extended_minutes": 0}
    event = tickets.act(
        ctx,
        ticket,
        "raise",
        BOT,
        message_id=incoming.row_id,
        changes=changes,
        before=before,
        after=urgency,
    )
    if urgency == 3:
        if ticket.state == State.REPORTED:
            tickets.act(ctx, ticket, "auto_accept", BOT, message_id=incoming.row_id)
        _tell_danger(ctx, ticket, incoming, "raised", f"m{incoming.row_id}:raised")
    elif tracks.became_large(event):
        tracks.tell_watchers(ctx, ticket, f"e{event.id}", message_id=incoming.row_id)


def _tell_danger(ctx: Context, ticket: Ticket, incoming: Incoming, kind: str, key: str) -> None:
    """Names the number to call, calls who must act in every reporting group, tells the coordinators."""
    people = _responsible(ctx, ticket)
    places = dict.fromkeys([place_of(incoming), *reporting_places(ctx, ticket)])
    above = [place for place in command_places(ctx, ticket.account, ticket.area) if place not in places]
    values = facts(ctx, ticket) | {
        "owner": at(people, ctx.texts("report.nobody")),
        "hotline": hotline(ticket.label, incoming.text),
    }
    text = ctx.texts(f"report.{kind}" if above else f"report.{kind}_alone", **values)
    asked = text + ctx.texts(f"next.{kind}", **values)
    for place in places:
        say(
            ctx,
            place,
            asked if place.room else text,
            key=key,
            ticket=ticket,
            message_id=incoming.row_id,
            mentions=people if place.room else [],
            urgency=3,
        )
    homes = [place for place in home(ctx, ticket, incoming) if place not in places]
    _tell_command(ctx, ticket, incoming, "home_urgent", homes, values, key)
    _tell_command(ctx, ticket, incoming, "to_street", above, values, key)


def _tell_command(
    ctx: Context,
    ticket: Ticket,
    incoming: Incoming,
    template: str,
    places: list[Place],
    values: dict[str, str],
    key: str,
) -> None:
    group = ctx.organisation.group(incoming.room, incoming.room_topic)
    topic = group.topic or incoming.room_topic or ctx.texts("report.some_group")
    values = values | {
        "group": ctx.texts("report.private") if incoming.is_private else topic,
        "summary": shorten(incoming.text, 100),
        "reporter": tickets.actor_of(ctx, incoming).name,
    }
    for place in places:
        say(
            ctx,
            place,
            ctx.texts(f"report.{template}", **values),
            key=f"{key}:street",
            ticket=ticket,
            message_id=incoming.row_id,
            mentions=_responsible(ctx, ticket) if "owner" in values else [],
            urgency=ticket.urgency,
        )


def _responsible(ctx: Context, ticket: Ticket) -> list[Person]:
    """Who answers for it and, where it was given to somebody else, who has it in hand."""
    ids = dict.fromkeys([ticket.owner or "", ticket.handler or ""])
    return [person for id in ids if (person := ctx.organisation.person(id))]


def _call(ctx: Context, ticket: Ticket) -> str:
    """ "@周网格长 ", or who it would be where nobody is named for the area."""
    return at(ctx.organisation.person(ticket.owner or ""), ctx.texts("report.nobody"))


def _take_pictures(ctx: Context, ticket: Ticket, incoming: Incoming) -> None:
    """The sender's pictures of the last minutes belong to what he now says."""
    since = ctx.now - timedelta(minutes=ctx.rules.picture_minutes)
    found = store.unattached_pictures(
        ctx.session,
        account=incoming.account,
        room=incoming.room,
        sender=incoming.sender,
        since=since,
    )
    for message_id in found:
        attach_picture(ctx, ticket, message_id, incoming)


def attach_picture(ctx: Context, ticket: Ticket, message_id: int, incoming: Incoming) -> None:
    """Notes the picture at the ticket and asks for it to be fetched."""
    store.attach_message(ctx.session, message_id, ticket.id)
    store.want_picture(ctx.session, message_id, ticket.id, ctx.now)
    tickets.act(ctx, ticket, "picture", tickets.actor_of(ctx, incoming), message_id=message_id)


def handle_picture(ctx: Context, incoming: Incoming) -> tuple[Outcome, Ticket | None]:
    """A picture joins the ticket its sender reported a moment ago; else it is left alone."""
    report = store.last_reported_by(
        ctx.session,
        account=incoming.account,
        room=incoming.room,
        reporter=incoming.sender,
        since=ctx.now - timedelta(minutes=ctx.rules.picture_minutes),
    )
    if report is None:
        return Outcome.NONE, None
    ticket = store.locked(ctx.session, report.ticket_id)
    if ticket.state == State.CLOSED:
        return Outcome.NONE, None
    attach_picture(ctx, ticket, incoming.row_id, incoming)
    return Outcome.PICTURE, ticket


def explicit(verdict: Verdict) -> Verdict:
    """The verdict of a text that its sender asked a ticket for: never nothing."""
    if verdict.is_report:
        return verdict
    return certain(Label.SERVICE, 1, verdict.place, ("command:报",))
