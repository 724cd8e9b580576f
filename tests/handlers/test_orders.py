"""Two people reply 接单 in the same second, each to another process."""

import threading
from dataclasses import replace

from sqlmodel import select

from handlers.organisation import Group, GroupKind
from storage.database import Database
from storage.tables import Reply, TicketEvent
from tests.support.street import Street, make_world


def test_exactly_one_has_it_and_the_other_is_told(database_url: str) -> None:
    world = make_world()
    red = Group(id="red", topic="小红伞群", kind=GroupKind.VOLUNTEER, area="CTM")
    groups = (*world.organisation.groups, red)
    world = replace(world, organisation=replace(world.organisation, groups=groups))
    database = Database(database_url)
    street = Street(database, world)
    street.say("stairs", "peng", "石梯坎水管爆了")
    street.say("stairs", "deng", "#派单 1 小红伞群")
    start = threading.Barrier(2)

    def claim(who: str) -> None:
        other = Database(database_url)
        own = Street(other, world)
        incoming = replace(own.incoming("red", who, "接单"), id=f"claim-{who}")
        start.wait()
        own.intake.work([incoming])
        other.close()

    threads = [threading.Thread(target=claim, args=(who,)) for who in ("甲", "乙")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (ticket,) = street.tickets()
    assert ticket.state == "dispatched"
    assert ticket.handler in {"甲", "乙"}
    with database.reading() as session:
        takings = session.exec(select(TicketEvent).where(TicketEvent.action == "order")).all()
        told = [reply.text for reply in session.exec(select(Reply).where(Reply.room == "red"))]
    assert [event.actor for event in takings] == [ticket.handler]
    assert sum("接单，谢谢！" in text and "已由" not in text for text in told) == 1
    assert sum(f"已由{ticket.handler}接单" in text for text in told) == 1
    database.close()
