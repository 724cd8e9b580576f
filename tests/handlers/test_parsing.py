"""Text -> command."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.commands import all_commands, parse
from handlers.organisation import Role
from handlers.permissions import Actor, Permission, could

_EVERYBODY = {Permission.ANYONE, Permission.REPORTER}
PREFIXED = [
    ("#接单", ("接单", "", "")),
    ("#接单 31", ("接单", "31", "")),
    ("#接单31", ("接单", "31", "")),
    ("# 接单 31", ("接单", "31", "")),
    ("＃接单　３１", ("接单", "31", "")),
    ("##接单", ("接单", "", "")),
    ("#接单 #31", ("接单", "31", "")),
    ("#接单 31号", ("接单", "31", "")),
    ("#接单！", ("接单", "", "")),
    ("#接单 CTM0713-001", ("接单", "CTM0713-001", "")),
    ("#接单 ctm0713-001", ("接单", "CTM0713-001", "")),
    ("#31 接单", ("接单", "31", "")),
    ("#CTM0713-001 办结 修好了", ("办结", "CTM0713-001", "修好了")),
    ("#accept 31", ("接单", "31", "")),
    ("#TAKE 31", ("接单", "31", "")),
    ("#ａｃｃｅｐｔ ３１", ("接单", "31", "")),
    ("#办结 31 水已抽干。", ("办结", "31", "水已抽干")),
    ("#办结水已抽干", ("办结", "", "水已抽干")),
    ("#办结：水已抽干", ("办结", "", "水已抽干")),
    ("#办结 3号楼的水已抽干", ("办结", "", "3号楼的水已抽干")),
    ("#办结 2026年的事", ("办结", "", "2026年的事")),
    ("#办结\n31\n第一行\n第二行", ("办结", "31", "第一行\n第二行")),
    ("#派单 31 @何志愿", ("派单", "31", "@何志愿")),
    ("#派单31@何志愿", ("派单", "31", "@何志愿")),
    ("#派单 @何志愿", ("派单", "", "@何志愿")),
    ("#报 3号，楼道堆了东西", ("报", "", "3号，楼道堆了东西")),
    ("#报 12345 打不通", ("报", "", "12345 打不通")),
    ("#report 31", ("报", "", "31")),
    ("#不满意 又漏了", ("不满意", "", "又漏了")),
    ("#满意", ("满意", "", "")),
    ("#31", ("进度", "31", "")),
    ("#CTM0713-031", ("进度", "CTM0713-031", "")),
    ("#接单 5001030713-001", ("接单", "5001030713-001", "")),  # street codes may be digits
    ("#接单 cq-yz.1_0713-1001", ("接单", "CQ-YZ.1_0713-1001", "")),
    ("#?", ("帮助", "", "")),
    ("#核查通过", ("核查", "", "通过")),
    ("#已访 1 3 都在家", ("已访", "", "1 3 都在家")),
    ("#已访张春花", ("已访", "", "张春花")),
    ("#看护名单", ("看护名单", "", "")),
    ("#大事 31 水还在涨", ("大事", "31", "水还在涨")),
    ("#？", ("帮助", "", "")),
]


@pytest.mark.parametrize(("text", "wanted"), PREFIXED)
def test_prefixed(text: str, wanted: tuple[str, str, str]) -> None:
    found = parse(text)
    assert found is not None
    assert (found.command.name, found.number, found.argument) == wanted


@pytest.mark.parametrize(
    "text",
    [
        *(
            "接单",
            "满意",
            "",
            "#",
            "＃＃",
            "# ",
            "#今日份晚霞",
            "#接弹",
            "#acceptable",
            "#满意度调查",
            "#报警了没有",
        ),
        *("#满意度调查# 大家填一下", "#办结率通报#", "#反馈表# 在这里", "我 #接单", "#ok啊"),
    ],
)
def test_no_command(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("接单", ("接单", "", "")),
        ("接单 31", ("接单", "31", "")),
        ("@网格助手 接单 31", ("接单", "31", "")),
        ("@网格助手\u2005#接单", ("接单", "", "")),
        ("@网格助手 @周网格长 接单", ("接单", "", "")),
        ("CTM0713-001 怎么样了", ("进度", "CTM0713-001", "")),
        ("@网格助手 CTM0713-001", ("进度", "CTM0713-001", "")),
        ("31", ("进度", "31", "")),
    ],
)
def test_said_to_the_bot_itself(text: str, wanted: tuple[str, str, str]) -> None:
    found = parse(text, addressed=True)
    assert found is not None
    assert (found.command.name, found.number, found.argument) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "办结了吗",
        "反馈一下，我家水管爆了",
        "报警了",
        "大事！江岸大厦有人被困",
        "小事 不用来",
        "谢谢",
        "CTM0713-001 已记下（服务），有进展我在这里说。请回复“接单”或“转社区”。",
    ],
)
def test_talk_with_the_bot_is_no_command(text: str) -> None:
    assert parse(text, addressed=True) is None


@given(st.text(max_size=60), st.booleans())
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_parses_whatever_is_typed(text: str, addressed: bool) -> None:
    for typed in (text, f"#{text}", f"#办结 {text}"):
        found = parse(typed, addressed=addressed)
        assert found is None or found.command in all_commands()


def test_commands_are_declared_whole() -> None:
    names = [entry.name for entry in all_commands()]
    wanted = "接单 派单 到场 反馈 退回 挂起 延期 恢复 办结 误报 改类 并案 拆分 帮助 进度 报 撤回 满意 不满意"
    wanted += " 核查 大事 小事"
    wanted += " 撤销"
    wanted += " 联办 免办"
    wanted += " 加入 绑定 静默 名单 登录 值班"
    wanted += " 升级 交回 改派 重开 备注"
    wanted += " 已访 看护名单"
    wanted += " 日报 周报 查 超期 排行 清单"
    wanted += " 我的信息 删除我的信息"
    assert sorted(names) == sorted(wanted.split())
    for entry in all_commands():
        assert entry.usage.startswith(f"#{entry.name}")
        assert entry.help
        assert any(alias.isascii() for alias in entry.aliases), entry.name
        assert any(could(entry.permission, Actor("x", "某", role)) for role in Role)
        assert parse(entry.usage.split()[0]) is not None


def test_help_shows_a_resident_nothing_he_may_not_do() -> None:
    for entry in all_commands():
        resident = Actor("x", "某", Role.RESIDENT)
        assert could(entry.permission, resident) == (entry.permission in _EVERYBODY)
