"""What time brings about, once, however many processes look at the clock."""

import sqlite3
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import col, select
from structlog.testing import capture_logs

from bot.settings import Settings
from bot.timers import Timers, scheduler
from handlers import digest
from handlers.figures.cards import Card
from handlers.figures.model import DigestKind
from storage.database import Database
from storage.tables import Digest, Reply
from tests.support.street import ACCOUNT, ROOT, Street, make_world
from tests.support.waiting import until

WORLD = make_world()
SETTINGS = Settings(organisation=ROOT / "organisation.yaml")
EVENING = datetime(2026, 7, 13, 10, 0, tzinfo=UTC)  # 18:00 in the street


@pytest.fixture
def street(database: Database) -> Street:
    street = Street(database, WORLD)
    street.say("stairs", "peng", "石梯坎3号路灯不亮了")
    return street


def timers(street: Street) -> Timers:
    return Timers(street.database, lambda: WORLD, street.clock, SETTINGS)


def digests(street: Street) -> list[str]:
    with street.reading() as session:
        replies = session.exec(
            select(Reply).where(col(Reply.key).startswith("digest:")).order_by(col(Reply.id))
        )
        return [reply.text.splitlines()[0] for reply in replies]


def test_in_the_evening_and_once(street: Street) -> None:
    street.clock.now = EVENING - timedelta(seconds=1)
    assert not timers(street).digests("local")
    street.clock.now = EVENING
    assert not timers(street).digests("")  # not logged in yet
    assert timers(street).digests("local")
    assert not timers(street).digests("local")
    assert not timers(street).digests("local")  # restarted in that very minute
    street.clock.move(hours=5)
    assert not timers(street).digests("local")
    assert digests(street) == ["朝天街道 7月13日 日报"]


def test_each_at_its_time_of_the_week(street: Street) -> None:
    """Looked at every half hour of eight days: morning and evening daily, the week's on Monday."""
    expected = ["朝天街道 7月13日 日报"]
    for day in range(14, 20):
        expected += [f"朝天街道 7月{day}日 早报", f"朝天街道 7月{day}日 日报"]
    expected += ["朝天街道 7月20日 早报", "朝天街道 7月13日到7月19日 周报", "朝天街道 7月20日 日报"]
    street.clock.now = EVENING
    while street.clock.now <= EVENING + timedelta(days=7):
        timers(street).digests("local")
        street.clock.move(minutes=30)
    assert digests(street) == expected


def test_a_picture_goes_with_each_that_has_something_to_show(street: Street) -> None:
    for wanted in (True, False):
        rules = WORLD.rules.model_copy(
            update={"digests": WORLD.rules.digests.model_copy(update={"pictures": wanted})}
        )
        world = replace(WORLD, rules=rules)
        street.clock.now = EVENING if wanted else EVENING + timedelta(days=1)
        assert Timers(street.database, lambda world=world: world, street.clock, SETTINGS).digests("local")  # type: ignore[misc]
    with street.reading() as session:
        statement = select(Reply.picture).where(col(Reply.key).startswith("digest:")).order_by(col(Reply.id))
        first, *others = session.exec(statement).all()
    assert Card.read(first or "") is not None
    assert others == [None, None]


def test_many_processes_in_that_minute_post_it_once(database_url: str) -> None:
    street = Street(Database(database_url), WORLD)
    street.say("stairs", "peng", "石梯坎3号路灯不亮了")
    street.clock.now = EVENING
    barrier = threading.Barrier(4)
    posted: list[bool] = []

    def process() -> None:
        database = Database(database_url)
        own = Timers(database, lambda: WORLD, street.clock, SETTINGS)
        barrier.wait()
        posted.append(own.digests("local"))
        database.close()

    threads = [threading.Thread(target=process) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(posted) == [False, False, False, True]
    assert len(digests(street)) == 1
    street.database.close()


def test_one_counted_before_another_process_posted_it_is_not_posted(street: Street) -> None:
    street.clock.now = EVENING
    with street.context() as ctx:
        first, second = (digest.due(ctx, ACCOUNT, DigestKind.EVENING) for _ in range(2))
    assert first is not None and second is not None
    with street.context() as ctx:
        assert digest.post(ctx, ACCOUNT, first)
    with street.context() as ctx:
        assert not digest.post(ctx, ACCOUNT, second)
    assert len(digests(street)) == 1


def test_one_that_could_not_be_written_is_tried_again_as_a_whole(street: Street) -> None:
    street.clock.now = EVENING
    with pytest.raises(RuntimeError), street.context() as ctx:
        made = digest.due(ctx, ACCOUNT, DigestKind.EVENING)
        assert made is not None and digest.post(ctx, ACCOUNT, made)
        raise RuntimeError("the process ends here")
    assert digests(street) == []
    assert timers(street).digests(ACCOUNT)
    assert len(digests(street)) == 1


def test_a_missed_evening_is_made_up_later_the_same_day_and_marked_late(street: Street) -> None:
    street.clock.now = EVENING + timedelta(hours=3)
    assert timers(street).digests("local")
    assert digests(street) == ["朝天街道 7月13日 日报（补）"]


def test_a_few_minutes_are_not_late(street: Street) -> None:
    street.clock.now = EVENING + timedelta(minutes=9)
    assert timers(street).digests("local")
    assert digests(street) == ["朝天街道 7月13日 日报"]


def test_or_the_next_morning_but_not_at_night(street: Street) -> None:
    street.clock.now = EVENING + timedelta(hours=9)  # 03:00
    assert not timers(street).digests("local")
    street.clock.now = EVENING + timedelta(hours=14)  # 08:00
    assert timers(street).digests("local")
    assert digests(street) == ["朝天街道 7月13日 日报（补）"]
    street.clock.now = EVENING + timedelta(hours=14.5)
    assert timers(street).digests("local")
    assert digests(street)[1:] == ["朝天街道 7月14日 早报"]


def test_of_several_that_were_missed_the_last_of_each_kind_is_made_up(street: Street) -> None:
    street.clock.now = EVENING + timedelta(days=9)
    assert timers(street).digests("local")
    assert not timers(street).digests("local")
    assert digests(street) == [
        "朝天街道 7月22日 早报（补）",
        "朝天街道 7月22日 日报",
        "朝天街道 7月13日到7月19日 周报（补）",
    ]


def test_without_any_ticket_by_then_there_is_nothing_to_tell(database: Database) -> None:
    street = Street(database, WORLD)
    street.clock.now = EVENING + timedelta(hours=1)
    assert not timers(street).digests("local")
    street.say("stairs", "peng", "石梯坎3号路灯不亮了")
    assert not timers(street).digests("local")
    with street.reading() as session:
        assert session.exec(select(Digest)).all() == []
    street.clock.now = EVENING + timedelta(days=1)
    assert timers(street).digests("local")


def test_the_sweep_looks_at_all_that_is_due(street: Street) -> None:
    for number in range(60):
        street.say(f"room {number}", "peng", f"#报 路灯坏了{'甲乙丙丁戊己庚辛壬癸'[number % 10] * 3}{number}")
    assert timers(street).sweep() == 0
    street.clock.move(hours=1)
    due = len(street.tickets())
    assert due > 50
    assert timers(street).sweep() == due
    assert timers(street).sweep() == 0


def test_a_year_without_known_holidays_is_said_once(street: Street) -> None:
    street.clock.now = datetime(2050, 10, 20, tzinfo=UTC)
    own = timers(street)
    with capture_logs() as logs:
        own.sweep()
        street.clock.move(days=30)  # deadlines reach into the next one
        own.sweep()
        own.sweep()
    said = [line["year"] for line in logs if line["event"] == "holidays_unknown"]
    assert said == [2050, 2051]
    street.clock.now = EVENING
    with capture_logs() as logs:
        timers(street).sweep()
    assert logs == []


def test_two_sweeps_at_once_remind_once(database_url: str) -> None:
    streets = [Street(Database(database_url), WORLD) for _ in range(2)]
    for number in range(30):
        streets[0].say(f"room {number}", "peng", f"#报 路灯坏了 {number}")
    streets[1].clock = streets[0].clock
    streets[0].clock.move(hours=1)
    looked: list[int] = []
    barrier = threading.Barrier(2)

    def process(street: Street) -> None:
        own = timers(street)
        barrier.wait()
        looked.append(own.sweep())

    threads = [threading.Thread(target=process, args=(street,)) for street in streets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tickets = streets[0].tickets()
    assert sum(looked) == len(tickets)
    assert [event.action for event in streets[0].events()].count("remind") == len(tickets)
    for street in streets:
        street.database.close()


async def test_late_jobs_are_wanted_still_and_a_busy_database_is_no_end() -> None:
    ran: list[None] = []

    async def job() -> None:
        ran.append(None)
        raise OperationalError("SELECT", {}, sqlite3.OperationalError("database is locked"))

    jobs = scheduler(SETTINGS, {"often": (0.01, job), "daily": ("18:00", job)})
    with capture_logs() as logs:
        jobs.start()
        await until(lambda: len(ran) > 2)
        found = {made.id: made for made in jobs.get_jobs()}
        jobs.shutdown(wait=False)
    assert {line["reason"] for line in logs if line["event"] == "timer_failed"} == {"database is locked"}
    assert str(found["daily"].trigger) == "cron[hour='18', minute='0']"
    assert str(found["daily"].trigger.timezone) == "Asia/Shanghai"
    for made in found.values():
        assert (made.misfire_grace_time, made.coalesce, made.max_instances) == (None, True, 1)
