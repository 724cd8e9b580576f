"""Who did what: every command and every tap on the board leaves a trace, and `gridbot audit` prints it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlmodel import col, select
from typer.testing import CliRunner

from bot.__main__ import cli
from bot.web.names import Names
from handlers.commands import all_commands
from handlers.joining import Invitation, invite
from handlers.lifecycle import ACTIONS
from handlers.permissions import OPERATOR
from handlers.texts import load_texts
from storage.database import Database
from storage.tables import ActionLog, Message, TicketEvent
from tests.support.street import ACCOUNT, ROOT, Street

# Nothing is changed by these.
READ_ONLY = {"帮助", "进度", "名单", "看护名单", "我的信息"}
READ_ONLY |= {"日报", "周报", "查", "超期", "排行", "清单"}
_LAMP = ("river", "tang", "门口路灯坏了")
_CLOSED = (_LAMP, ("river", "zhou", "#接单"), ("river", "zhou", "#办结 换了灯泡"))
_AT_WORK = (_LAMP, ("river", "zhou", "#接单"), ("river", "zhou", "#到场"))
_SUSPENDED = (*_AT_WORK, ("command", "pu", "#挂起 1 等材料"))
_CARE = {
    "name": "张春花",
    "kind": "elderly_alone",
    "address": "石梯坎9号",
    "area": "CTM-0101",
    "every_days": 1,
}


@dataclass(frozen=True, slots=True)
class Use:
    """What is said before a command, and the command: (room, who, text) each; room "" is private."""

    said: tuple[str, str, str]
    before: Sequence[tuple[str, str, str]] = (_LAMP,)


def _by(who: str, text: str, *before: tuple[str, str, str], room: str = "river") -> Use:
    return Use((room, who, text), before or (_LAMP,))


USES: dict[str, Use] = {
    "接单": _by("zhou", "#接单"),
    "派单": _by("zhou", "#派单 供电所"),
    "退回": _by("zhou", "#退回 不归我管", _LAMP, ("river", "zhou", "#派单 供电所")),
    "联办": _by("pu", "#联办 1 供电所", room="command"),
    "免办": _by("pu", "#免办 1 供电所 不用来", _LAMP, ("command", "pu", "#联办 1 供电所"), room="command"),
    "升级": _by("zhou", "#升级 要社区来"),
    "交回": _by("pu", "#交回 1 网格先看", _LAMP, ("river", "zhou", "#升级"),
              ("command", "pu", "#升级 1 街道"), room="command"),
    "改派": _by("zhou", "#改派 供电所", _LAMP, ("river", "zhou", "#派单 秦网格员")),
    "重开": _by("zhou", "#重开 1 又黑了", *_CLOSED),
    "备注": _by("zhou", "#备注 找过电工"),
    "到场": _by("zhou", "#到场", _LAMP, ("river", "zhou", "#接单")),
    "反馈": _by("zhou", "#反馈 在买灯泡"),
    "挂起": _by("pu", "#挂起 1 等材料", *_AT_WORK, room="command"),
    "恢复": _by("pu", "#恢复 1", *_SUSPENDED, room="command"),
    "延期": _by("zhou", "#延期 2小时 等材料", _LAMP, ("river", "zhou", "#接单")),
    "办结": _by("zhou", "#办结 换了灯泡", _LAMP, ("river", "zhou", "#接单")),
    "误报": _by("zhou", "#误报"),
    "改类": _by("zhou", "#改类 安全"),
    "核查": _by("pu", "#核查 1 通过", _LAMP, ("river", "zhou", "#大事"), ("river", "zhou", "#接单"),
              ("river", "zhou", "#办结 换了灯泡"), room="command"),
    "大事": _by("zhou", "#大事"),
    "小事": _by("zhou", "#小事", _LAMP, ("river", "zhou", "#大事")),
    "并案": _by("pu", "#并案 2 1", _LAMP, ("stairs", "peng", "#报 石梯坎有人吵架"), room="command"),
    "拆分": _by("pu", "#拆分 2", _LAMP, ("stairs", "peng", "#报 石梯坎有人吵架"),
              ("command", "pu", "#并案 2 1"), room="command"),
    "值班": _by("zhou", "#值班 上"),
    "静默": _by("zhou", "#静默 2小时"),
    "登录": _by("zhou", "#登录", room=""),
    "已访": _by("zhou", "已访 张春花", room=""),
    "报": _by("tang", "#报 门口路灯坏了", ("river", "tang", "早上好")),
    "撤回": _by("tang", "#撤回"),
    "满意": _by("tang", "#满意", *_CLOSED),
    "不满意": _by("tang", "#不满意 又黑了", *_CLOSED),
    "删除我的信息": _by("tan2", "删除我的信息 确认", room=""),
    "撤销": _by("zhou", "#撤销", _LAMP, ("river", "zhou", "#接单")),
}  # fmt: skip
BY_CODE = {"加入", "绑定"}  # tried below: they need a code
ALIASES = {command.name: command.aliases[0] for command in all_commands()}


def test_every_action_has_a_name() -> None:
    names = Names(load_texts())
    assert [action for action in ACTIONS if names("event", action) == action] == []


def test_every_command_is_tried() -> None:
    names = {command.name for command in all_commands()}
    assert names == USES.keys() | READ_ONLY | BY_CODE


@pytest.mark.parametrize("name", USES, ids=ALIASES.get)
def test_a_command_leaves_a_trace(sqlite_url: str, name: str) -> None:
    database, use = Database(sqlite_url), USES[name]
    street = Street(database)
    street.keep_in_care(_CARE)
    for said in use.before:
        street.say(*said)
        street.clock.move(minutes=1)
    told = street.say(*use.said)
    with database.reading() as session:
        message = session.exec(select(Message).order_by(col(Message.id).desc())).first()
        assert message is not None
        traces = [
            *session.exec(select(TicketEvent).where(TicketEvent.message_id == message.id)),
            *session.exec(select(ActionLog).where(ActionLog.message_id == message.id)),
        ]
    database.close()
    assert traces, [reply.text for reply in told]
    own = [trace for trace in traces if trace.actor == use.said[1]]
    assert own
    assert {trace.at for trace in own} == {street.clock()}
    names = Names(load_texts())
    for trace in own:
        table = "event" if isinstance(trace, TicketEvent) else "action"
        assert names(table, trace.action) != trace.action


@pytest.mark.parametrize("name", sorted(READ_ONLY), ids=ALIASES.get)
def test_what_only_tells_changes_nothing(sqlite_url: str, name: str) -> None:
    database = Database(sqlite_url)
    street = Street(database)
    street.say(*_LAMP)
    before = len(street.events())
    street.say("", "zhou", name)
    assert len(street.events()) == before
    with database.reading() as session:
        assert not session.exec(select(ActionLog)).all()
    database.close()


@pytest.fixture
def worked(sqlite_url: str, tmp_path: Path) -> Path:
    """The settings of a street where something was done."""
    database = Database(sqlite_url)
    street = Street(database)
    street.say(*_LAMP)
    street.clock.move(minutes=5)
    street.say("river", "zhou", "#接单")
    street.say("river", "zhou", "#静默 2小时")
    street.clock.move(days=1)
    street.say("river", "zhou", "#办结 换了灯泡")
    database.close()
    config = tmp_path / "config.yaml"
    config.write_text(
        f"organisation: {ROOT / 'organisation.yaml'}\nstorage: {{url: '{sqlite_url}'}}\n", "utf-8"
    )
    return config


def _audit(config: Path, *options: str) -> list[str]:
    found = CliRunner().invoke(cli, ["audit", "--config", str(config), *options])
    assert found.exit_code == 0, found.output
    return found.output.splitlines()


def test_of_a_ticket(worked: Path) -> None:
    lines = _audit(worked, "--ticket", "ctm0713-001")
    heads = [line for line in lines if not line.startswith(" ")]
    assert heads[0] == "2026-07-13 10:00:00  唐孃孃 (tang)  立事项 (open)  CTM0713-001  “门口路灯坏了”"
    assert heads[1] == "2026-07-13 10:05:00  周网格长 (zhou)  接单 (accept)  CTM0713-001"
    assert "    state: 已上报 -> 已受理" in lines
    assert heads[-1].endswith("办结 (close)  CTM0713-001  “换了灯泡”")


def test_of_a_person(worked: Path) -> None:
    by_id, by_name = _audit(worked, "--person", "zhou"), _audit(worked, "--person", "周网格长")
    assert by_id == by_name
    assert "2026-07-13 10:05:00  周网格长 (zhou)  静默 (quiet)  group:river" in by_id
    assert "    until: - -> 2026-07-13T12:05:00+08:00" in by_id
    assert not any("唐孃孃" in line for line in by_id)


def test_of_a_day(worked: Path) -> None:
    told = [json.loads(line) for line in _audit(worked, "--day", "2026-07-14", "--format", "json")]
    assert {act["action"] for act in told} >= {"close"}
    assert {act["at"][:10] for act in told} == {"2026-07-14"}
    close = next(act for act in told if act["action"] == "close")
    assert (close["actor"], close["subject"]) == ("zhou", "CTM0713-001")
    assert (close["before"]["state"], close["after"]["state"]) == ("accepted", "closed")
    assert _audit(worked, "--day", "2026-07-20") == []


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ((), "name one of --ticket, --person, --day"),
        (("--ticket", "CTM0713-001", "--day", "2026-07-13"), "name one of"),
        (("--ticket", "CTM0713-999"), "there is no ticket"),
        (("--day", "13.7."), "is not a day such as"),
        (("--day", "2026-07-13", "--format", "xml"), "text or json"),
    ],
    ids=["nothing", "two", "unknown", "no-day", "no-format"],
)
def test_mistakes_are_said_in_a_sentence(worked: Path, options: tuple[str, ...], why: str) -> None:
    found = CliRunner().invoke(cli, ["audit", "--config", str(worked), *options])
    assert found.exit_code == 2
    assert why in found.output


@pytest.mark.parametrize("kind", ["person", "group"])
def test_a_code_leaves_a_trace(sqlite_url: str, kind: str) -> None:
    database = Database(sqlite_url)
    street = Street(database)
    with street.context() as ctx:
        wanted = (
            Invitation(kind="owners") if kind == "group" else Invitation(role="volunteer", area="CTM-0101")
        )
        code = invite(ctx, OPERATOR, wanted)
    if kind == "group":
        street.say("dance", "pu", f"#绑定 {code}", room_topic="跳舞群")
    else:
        street.say("", "zhang", f"#加入 {code}")
    with database.reading() as session:
        rows = session.exec(select(ActionLog).order_by(col(ActionLog.id))).all()
    assert [row.action for row in rows] == ["invite", "join" if kind == "person" else "bind"]
    assert rows[1].actor == ("zhang" if kind == "person" else "pu")
    assert ACCOUNT not in (rows[1].actor, rows[1].subject)
    database.close()
