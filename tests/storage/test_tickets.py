import threading
from datetime import date

from storage import tickets
from storage.database import Database
from storage.tables import Attachment, TicketEvent
from storage.tickets import Scope
from tests.storage.rows import NOON, ago, keep, message, reply, report, ticket

DAY = date(2026, 7, 12)


def test_running_numbers_by_street_and_day(database: Database) -> None:
    with database.transaction() as session:
        tickets.lock_street(session, "CTM", DAY)
        assert [tickets.next_running(session, "CTM", DAY) for _ in range(3)] == [1, 2, 3]
        assert tickets.next_running(session, "CTM", date(2026, 7, 13)) == 1
        assert tickets.next_running(session, "XYZ", DAY) == 1
    with database.transaction() as session:
        tickets.lock_street(session, "CTM", DAY)
        assert tickets.next_running(session, "CTM", DAY) == 4


def test_no_number_is_given_twice_or_left_out(database_url: str) -> None:
    found: list[int] = []

    def open_some() -> None:
        database = Database(database_url)
        for _ in range(15):
            with database.transaction() as session:
                tickets.lock_street(session, "CTM", DAY)
                running = tickets.next_running(session, "CTM", DAY)
            found.append(running)
        database.close()

    threads = [threading.Thread(target=open_some) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(1, 61))


def test_a_locked_ticket_is_read_afresh(database: Database) -> None:
    matter = ticket()
    keep(database, matter)
    with database.reading() as stale:
        stale.get(type(matter), matter.id)
    with database.transaction() as session:
        tickets.locked(session, matter.id).state = "accepted"
    with database.transaction() as session:
        assert tickets.locked(session, matter.id).state == "accepted"


def test_open_matters_near_by(database: Database) -> None:
    said, elsewhere = message(), message(room="stairs")
    here = ticket(area="CTM-0201")
    near, closed, old = ticket(), ticket(state="closed"), ticket(updated_at=ago(hours=7))
    far, of_another_account = ticket(area="CTM-0202"), ticket(account="b")
    keep(database, said, elsewhere, here, near, closed, old, far, of_another_account)
    keep(database, report(here, said), report(here, elsewhere), report(far, elsewhere))
    with database.reading() as session:
        found = tickets.open_matters(
            session, account="a", room="river", areas=["CTM-0101"], since=ago(hours=6)
        )
    assert [(matter.id, len(matter.tellings)) for matter in found] == [(near.id, 0), (here.id, 2)]
    assert (found[0].label, found[0].place, found[0].summary) == ("flood", "江岸大厦", "车库进水")
    assert found[1].last_told("river") == NOON
    assert found[1].last_told("homestay") is None


def test_what_may_be_spoken_of(database: Database) -> None:
    said, private = message(), message(room="", sender="peng")
    here, area, own, handled = ticket(area=""), ticket(), ticket(area=""), ticket(area="", handler="peng")
    closed = ticket(state="closed")
    keep(database, said, private, here, area, own, handled, closed)
    keep(database, report(here, said), report(own, private))

    def visible(scope: Scope, **more: object) -> list[int]:
        with database.reading() as session:
            return [found.id for found in tickets.visible(session, scope, **more)]  # type: ignore[arg-type]

    assert visible(Scope("a")) == []
    assert visible(Scope("a", room="river")) == [here.id]
    assert visible(Scope("b", room="river")) == []
    assert visible(Scope("a", areas=("CTM-0101",))) == [area.id, closed.id]
    assert visible(Scope("a", areas=("CTM-0101",)), only_open=True) == [area.id]
    assert visible(Scope("a", person="peng")) == [handled.id, own.id]
    everywhere = Scope("a", "river", ("CTM-0101",), "peng")
    assert visible(everywhere, number=area.number) == [area.id]
    assert visible(everywhere, running=own.running) == [own.id]
    assert visible(everywhere, limit=1) == [handled.id]


def test_reports_and_events_in_order(database: Database) -> None:
    matter, said = ticket(), [message(sender=name) for name in ("tang", "peng", "tang")]
    keep(database, matter, *said)
    keep(database, *(report(matter, one) for one in said))
    keep(
        database,
        *(TicketEvent(ticket_id=matter.id, at=NOON, actor="bot", action=name) for name in ("open", "join")),
    )
    with database.reading() as session:
        assert [one.reporter for one in tickets.reports(session, matter.id)] == ["tang", "peng", "tang"]
        assert [one.action for one in tickets.events(session, matter.id)] == ["open", "join"]
        assert tickets.count_reports(session, matter.id) == 2


def test_tickets_of_a_quoted_message(database: Database) -> None:
    one, two = ticket(), ticket()
    keep(database, one, two)
    keep(
        database, message(external_id="said", ticket_id=one.id),
        reply(external_id="bot-1", ticket_id=one.id), reply(external_id="bot-1", ticket_id=two.id),
        reply(external_id="bot-2"),
    )  # fmt: skip
    with database.reading() as session:
        assert tickets.of_quoted(session, "a", "bot-1") == [one.id, two.id]
        assert tickets.of_quoted(session, "a", "said") == [one.id]
        assert tickets.of_quoted(session, "a", "bot-2") == []
        assert tickets.of_quoted(session, "b", "said") == []


def test_the_last_report_of_a_person(database: Database) -> None:
    matter, first, second = ticket(), message(sent_at=ago(minutes=9)), message()
    keep(database, matter, first, second)
    keep(database, report(matter, first), report(matter, second))
    with database.reading() as session:
        found = tickets.last_reported_by(
            session, account="a", room="river", reporter="tang", since=ago(minutes=10)
        )
        assert found is not None
        assert found.message_id == second.id
        for other in ({"reporter": "peng"}, {"room": "stairs"}, {"account": "b"}):
            values = {"account": "a", "room": "river", "reporter": "tang", "since": ago(minutes=10)} | other
            assert tickets.last_reported_by(session, **values) is None  # type: ignore[arg-type]


def test_due_tickets_the_longest_due_first(database: Database) -> None:
    one, two = ticket(due_at=ago(minutes=1)), ticket(due_at=ago(minutes=2))
    keep(database, one, two, ticket(due_at=None), ticket(due_at=NOON.replace(hour=5)))
    with database.transaction() as session:
        assert [found.id for found in tickets.due(session, NOON, 10)] == [two.id, one.id]
        assert [found.id for found in tickets.due(session, NOON, 1)] == [two.id]


def test_due_tickets_that_another_process_looks_at_are_passed_over(postgres_url: str) -> None:
    first, second = Database(postgres_url), Database(postgres_url)
    keep(first, ticket(due_at=ago(minutes=2)), ticket(due_at=ago(minutes=1)))
    with first.transaction() as holding:
        [held] = tickets.due(holding, NOON, 1)
        with second.transaction() as session:
            [other] = tickets.due(session, NOON, 10)
    assert held.id != other.id
    first.close()
    second.close()


def test_tickets_of_a_person(database: Database) -> None:
    said = message(sender="peng")
    told, owned, handled = ticket(), ticket(owner="peng"), ticket(handler="peng")
    keep(database, said, told, owned, handled, ticket(owner="peng", state="closed"), ticket())
    keep(database, report(told, said))
    with database.reading() as session:
        assert [one.id for one in tickets.of_person(session, "peng")] == [handled.id, owned.id, told.id]


def test_pictures_without_a_ticket(database: Database) -> None:
    matter, picture = ticket(), message(kind="image")
    old, others = message(kind="image", received_at=ago(hours=1)), message(kind="image", sender="peng")
    keep(database, matter, picture, old, others, message(), message(kind="image", ticket_id=matter.id))
    with database.transaction() as session:
        mine = {"account": "a", "room": "river", "sender": "tang", "since": ago(minutes=10)}
        assert tickets.unattached_pictures(session, **mine) == [picture.id]  # type: ignore[arg-type]
        tickets.attach_message(session, picture.id, matter.id)
        tickets.want_picture(session, picture.id, matter.id, NOON)
    with database.reading() as session:
        wanted = session.get(Attachment, picture.id)
        assert wanted is not None
        assert (wanted.ticket_id, wanted.state, wanted.due_at) == (matter.id, "wanted", NOON)
        assert tickets.unattached_pictures(session, **mine) == []  # type: ignore[arg-type]
