"""Plain words in answer to the bot: which texts may be one, and who is heard after which of its messages."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.commands.parsing import parse
from handlers.commands.plain_words import TABLE, all_words
from handlers.commands.registry import COMMANDS
from handlers.plain_reading import candidate
from handlers.texts import load_texts
from storage.database import Database
from storage.tables import Outcome
from tests.support.street import Street


@pytest.fixture
def street(sqlite_url: str) -> Iterator[Street]:
    database = Database(sqlite_url, durable=False)
    yield Street(database)
    database.close()


OPENED = "opened"  # 周网格长 is asked to take it
ACCEPTED = "accepted"  # ... has
GIVEN = "given"  # 何志愿 is asked to take it
SUBMITTED = "submitted"  # 周网格长 is asked to check what 何志愿 did
CLOSED = "closed"  # 唐孃孃 is asked whether it is well

_WAY = {
    OPENED: [],
    ACCEPTED: ["zhou:#接单"],
    GIVEN: ["zhou:#派单 何志愿"],
    SUBMITTED: ["zhou:#派单 何志愿", "he:#办结 换了"],
    CLOSED: ["zhou:#办结 换了"],
}


@pytest.mark.parametrize(
    ("stage", "who", "text", "wanted"),
    [
        (OPENED, "zhou", "接单", "accept"),
        (OPENED, "zhou", "好的，接单了！", "accept"),
        (OPENED, "zhou", "接单[强]", "accept"),
        (OPENED, "zhou", "🙏接单🙏", "accept"),
        (OPENED, "zhou", "@唐孃孃 收到，马上来", "accept"),
        (OPENED, "zhou", "收到 @唐孃孃", "accept"),
        (OPENED, "zhou", "我来", "accept"),
        (OPENED, "zhou", "接单 1", "accept"),
        (OPENED, "zhou", "1号接单", "accept"),
        (OPENED, "zhou", "接单 2", None),
        (OPENED, "zhou", "接单吗", None),
        (OPENED, "zhou", "接单?", None),
        (OPENED, "zhou", "没人接单", None),
        (OPENED, "zhou", "今天接单的有哪些", None),
        (OPENED, "pu", "接单", "accept"),
        (OPENED, "pu", "收到", None),  # a coordinator has seen it; asked was somebody else
        (OPENED, "qin", "接单", None),
        (OPENED, "qin", "到场", "arrive"),
        (OPENED, "qin", "到了", None),
        (OPENED, "zhou", "到了", "arrive"),
        (OPENED, "tang", "接单", None),
        (OPENED, "deng", "接单", None),
        (OPENED, "甲", "收到", None),
        (OPENED, "tang", "撤回", "withdraw"),
        (OPENED, "甲", "撤回", None),
        (OPENED, "zhou", "误报，在烤腊肉", "false_alarm"),
        (OPENED, "tang", "误报", None),
        (OPENED, "zhou", "派给何志愿", "dispatch"),
        (OPENED, "zhou", "派两个人去看看", None),
        (OPENED, "zhou", "派单 @何志愿", "dispatch"),
        (OPENED, "zhou", "转街道", "escalate"),
        (OPENED, "zhou", "转社区，这事我们办不了", "escalate"),
        (OPENED, "tang", "转街道", None),
        (OPENED, "qin", "转街道", None),
        (OPENED, "zhou", "交回 办不了", None),
        (OPENED, "zhou", "满意", None),
        (OPENED, "zhou", "退回 不是我的", None),
        (OPENED, "zhou", "办结 换好了", "close"),
        (OPENED, "zhou", "办结率百分之九十", None),
        (OPENED, "zhou", "修好了，换了灯泡", "close"),
        (OPENED, "zhou", "等修好了再说", None),
        (OPENED, "zhou", "修好了没有", None),
        (ACCEPTED, "zhou", "收到", None),
        (ACCEPTED, "zhou", "接单", None),
        (ACCEPTED, "zhou", "反馈 明天换", "feedback"),
        (GIVEN, "he", "接单", "take"),
        (GIVEN, "he", "退回，没有梯子", "return"),
        (GIVEN, "qin", "办结 换了", "submit"),
        (GIVEN, "tang", "退回 不要", None),
        (SUBMITTED, "zhou", "通过", "check"),
        (SUBMITTED, "zhou", "返工 还是黑的", "rework"),
        (SUBMITTED, "he", "通过", None),
        (SUBMITTED, "tang", "通过", None),
        (CLOSED, "tang", "满意", "satisfied"),
        (CLOSED, "tang", "非常满意，谢谢！", "satisfied"),
        (CLOSED, "tang", "不满意，又黑了", "reopen"),
        (CLOSED, "tang", "不满意又黑了", "reopen"),
        (CLOSED, "tang", "不太满意，还是暗", "reopen"),
        (CLOSED, "tang", "没修好，还是黑的", "reopen"),
        (CLOSED, "甲", "满意", None),
        (CLOSED, "zhou", "满意", None),
        (CLOSED, "tang", "满意度调查大家填一下", None),
        (CLOSED, "tang", "对物业不满意的举手", None),
    ],
)
def test_who_is_heard(street: Street, stage: str, who: str, text: str, wanted: str | None) -> None:
    street.say("river", "tang", "门口路灯坏了")
    for step in _WAY[stage]:
        sender, command = step.split(":")
        street.say("river", sender, command)
    before = street.events()
    said = street.say("river", who, text)
    after = [event.action for event in street.events()[len(before) :]]
    if wanted is None:
        assert (after, said) == ([], [])
    else:
        assert after[-1] == wanted
        assert said
        assert street.messages()[-1].outcome == Outcome.COMMAND


@pytest.mark.parametrize(
    ("minutes", "others", "wanted"),
    [(30, 0, True), (31, 0, False), (1, 3, True), (1, 4, False)],
)
def test_how_directly_it_has_to_follow(street: Street, minutes: int, others: int, wanted: bool) -> None:
    street.say("river", "tang", "门口路灯坏了")
    street.clock.move(minutes=minutes)
    for n in range(others):
        street.say("river", f"邻居{n}", "今天好热哦")
    assert bool(street.say("river", "zhou", "接单")) is wanted


def test_what_the_bot_said_elsewhere_is_not_answered_here(street: Street) -> None:
    street.say("river", "tang", "门口路灯坏了")
    assert street.say("stairs", "zhou", "接单") == []


def test_only_what_was_sent_counts(street: Street) -> None:
    street.intake.work([street.incoming("river", "tang", "门口路灯坏了")])
    assert [r.text for r in street.say("river", "zhou", "接单") if "已接单" in r.text] == []
    assert street.say("river", "zhou", "接单")  # now it was


def test_somebody_who_may_hears_why_not_when_quoting(street: Street) -> None:
    [opened] = street.say("river", "tang", "门口路灯坏了")
    street.say("river", "zhou", "接单")
    [told] = street.quote("river", "zhou", opened, "接单")
    assert "不用再接单" in told.text
    assert street.quote("river", "tang", opened, "接单") == []


WORDS = sorted(all_words())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(
        st.one_of(st.sampled_from(WORDS), st.sampled_from(["谢谢", "！", " 1", "，", "路过"])),
        min_size=1,
        max_size=4,
    ),
    who=st.sampled_from(["tang", "zhou", "pu", "he", "甲"]),
    room=st.sampled_from(["river", "stairs", "command"]),
)
def test_nothing_is_a_command_where_the_bot_said_nothing(
    street: Street, words: list[str], who: str, room: str
) -> None:
    assert street.say(room, who, "".join(words)) == []
    assert street.messages()[-1].outcome in {Outcome.NONE, Outcome.IGNORED, Outcome.REVIEW}


# Commands of families that may stand beside these.
def test_every_word_means_a_command_that_there_is() -> None:
    named = {row.command for rows in all_words().values() for row in rows}
    assert named <= set(COMMANDS)


TEXTS = load_texts()
# Said in private only, where the name of a command is enough.
_PRIVATE = ("care.", "join.", "mine.kept", "roster.rest")
_FILLED = {"short": "3", "first": "1", "area": "滨江路网格", "word": "接单", "example": "办结 换了灯泡"}


def _offers() -> Iterator[tuple[str, str]]:
    """(key, reply) of each reply that a sentence offers in “ ”, filled in."""
    for key in TEXTS.keys():  # noqa: SIM118  a method of Texts
        text = TEXTS.template(key)
        if not (key.startswith(("next.", "names.other")) or "回" in text or "：“" in text):
            continue
        for offered in re.findall(r"“([^”]+)”", text):
            if offered[0] not in "#{" or offered.startswith(("{word}", "{example}")):
                yield key, offered.format_map(_FILLED)


@pytest.mark.parametrize(("key", "offered"), sorted(set(_offers())), ids=str)
def test_what_the_bot_offers_is_understood(key: str, offered: str) -> None:
    """Every reply that a sentence ends with is a plain word of some command, its note where it has one."""
    if key.startswith(_PRIVATE):
        parsed = parse(offered, addressed=True)
        assert parsed is not None
        assert offered.startswith(parsed.command.name)
        return
    said = candidate(offered)
    assert said is not None, (key, offered)
    row = said.rows[0]
    assert row.word == offered or row.word == offered.split()[0]
    assert row.command in COMMANDS
    rest = offered.removeprefix(row.word).split()
    assert said.number == (rest[0] if rest and rest[0].isdigit() else "")
    assert (said.note != "") == bool([word for word in rest if not word.isdigit()])


def test_every_sentence_that_asks_for_an_answer_offers_one() -> None:
    offering = {key for key, _ in _offers()}
    asking = {key for key in TEXTS.keys() if key.startswith("next.")}  # noqa: SIM118
    assert asking <= offering


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.command} {row.word} {row.action}")
def test_each_word_of_the_table_is_a_candidate(row) -> None:  # type: ignore[no-untyped-def]
    if row.command not in COMMANDS:
        return
    text = f"{row.word} 说明" if row.note in {"needed", "name"} else row.word
    said = candidate(text)
    assert said is not None
    assert row in said.rows


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#接单",
        "早上好",
        "收到了没",
        "到底到没到",
        "？",
        "办结" * 200,
        "😀",
        "[强]",
        "谢谢",
        "好的谢谢大家的关心",
    ],
)
def test_ordinary_chat_is_none(text: str) -> None:
    assert candidate(text) is None
