"""A report by, about or at the door of somebody of the care register: more urgent, told to the owner.

The group hears nothing of it but what urgency brings with it. Who it is stands only in whispers.
"""

from collections.abc import Sequence
from dataclasses import replace

from classifiers.verdict import Verdict
from handlers import care
from handlers.care import Entry, Match, Told
from handlers.context import Context
from handlers.incoming import Incoming
from handlers.organisation import Person, Role
from handlers.whispers import whisper
from storage import care as store
from storage.tables import Ticket

_MOST_URGENT = 3


def concerned(ctx: Context, incoming: Incoming, area: str) -> list[Match]:
    """Whom of the register the report concerns. `area`: where it belongs."""
    return ctx.care.find(Told(incoming.sender, incoming.text, area, incoming.is_private))


def raised(verdict: Verdict, concerned: Sequence[Match]) -> Verdict:
    """One more urgent, whoever many they are."""
    if not concerned:
        return verdict
    return replace(verdict, urgency=min(max(verdict.urgency, 1) + 1, _MOST_URGENT))


def tell(ctx: Context, ticket: Ticket, incoming: Incoming, concerned: Sequence[Match]) -> None:
    """The grid's own people, in private, once for each ticket and person of the register."""
    for match in concerned:
        text = ctx.texts(
            f"care.alert_{match.heard}",
            number=ticket.number,
            short=f"{ticket.running}",
            who=described(ctx, match.entry),
            mind="".join(ctx.texts(f"care.mind.{kind}") for kind in match.entry.kinds),
        )
        for person in _people(ctx, match.entry.area):
            key = f"care:{ticket.id}:{match.entry.id}"
            if not store.was_told(ctx.session, f"{key}:@{person.id}"):
                whisper(
                    ctx,
                    incoming.account,
                    person.id,
                    text,
                    key=key,
                    ticket=ticket,
                    message_id=incoming.row_id,
                    urgency=ticket.urgency,
                )


def _people(ctx: Context, area: str) -> list[Person]:
    """Who answers for the grid, and those of its workers who are on duty."""
    told = care.told_of(ctx.organisation, area)
    workers = care.own_people(ctx.organisation, area, Role.GRID_WORKER)
    on_duty = store.on_duty(ctx.session, [worker.id for worker in workers], ctx.now)
    people = [*told, *(worker for worker in workers if worker.id in on_duty)]
    return list({person.id: person for person in people}.values())


def described(ctx: Context, entry: Entry) -> str:
    """张春花（独居老人、慢性病），江岸大厦3栋2单元501，电话…，耳背"""
    return ctx.texts(
        "care.who",
        name=entry.name,
        kinds="、".join(ctx.texts(f"names.care.{kind}") for kind in entry.kinds),
        address=entry.address,
        phone=ctx.texts("care.phone", phone=entry.phone) if entry.phone else "",
        note=ctx.texts("care.note", note=entry.note) if entry.note else "",
    )
