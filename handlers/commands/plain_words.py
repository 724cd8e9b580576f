"""What people say instead of a command, in answer to the bot: a table of data.

`handlers/plain.py` uses it. A family of commands adds its words where the command is declared:
`@command(..., plain=(Plain("转街道", argument="街道"),))`. A word may mean several commands: the first that
fits the ticket and the person counts, those declared with a command before those of the table below.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class Note(StrEnum):
    """What may stand behind the word, parted by a space or a comma."""

    NONE = "none"  # nothing: the word is the whole message
    FREE = "free"  # a note, or none
    NEEDED = "needed"  # a note; the bot asks for it where there is none
    NAME = "name"  # whom: a name or an @; the bot asks for it where there is none
    OWN = "own"  # the message is itself the note: 没修好，还是黑的
    DONE = "done"  # the same, where it is not asked or doubted: 修好了，换了灯泡


@dataclass(frozen=True, slots=True)
class Plain:
    """One word.

    command: the name of a command; one that is not there makes the word mean nothing.
    argument: what the command is given, before a note.
    soft: people say it for many reasons (收到): it counts only in private, quoting the bot's message, or,
    with nobody else speaking in between, from whom that message calls by name or who has the ticket in hand.
    action: the one of the lifecycle that has to be possible; without it any of the command's.
    after: counts only while this is the last thing a person did to the ticket; the command is given its note
    where there is no argument.
    glued: the note may follow without a space.
    offered: about no ticket; counts only from whom the bot has just answered with this very word offered.
    """

    word: str
    command: str = ""
    argument: str = ""
    note: Note = Note.NONE
    soft: bool = False
    action: str = ""
    after: str = ""
    glued: bool = False
    offered: bool = False


def _rows(command: str, words: str, **more: object) -> list[Plain]:
    return [replace(Plain(word, command), **more) for word in words.split()]  # type: ignore[arg-type]


TABLE: tuple[Plain, ...] = (
    *_rows("接单", "接单 我接单 接单办理 已接单"),
    *_rows(
        "接单",
        "接了 我接 收到 好的 好嘞 要得 ok 我来 我去 我来处理 我来办 我来看看 我去看看 我去处理",
        soft=True,
    ),
    *_rows("接单", "马上到 马上来 马上去 马上处理 马上看 马上办 这就去 这就来 就来 就去", soft=True),
    *_rows("到场", "到场 已到场 我到场 到现场 已到现场 人已到场 到达现场 已到达现场"),
    *_rows("到场", "到 我到 已到 人到 到位 我在现场 在现场", soft=True),
    *_rows("办结", "办结 已办结 办完 已办完 完成 已完成 处理完 处理完毕 处置完毕", note=Note.NEEDED),
    *_rows("办结", "修好 办好 处理好 弄好 搞好 换好 清理好 疏通好 搞定 解决", note=Note.DONE, soft=True),
    *_rows("办结", "已修好 已办好 已处理 已处理好 已解决 已恢复 已疏通 已清理", note=Note.DONE, soft=True),
    *_rows("办结", "好了 都好了", note=Note.DONE, soft=True),
    *_rows("办结", "未解决已解释 已解释 解释", argument="已解释", note=Note.NEEDED, soft=True),
    *_rows("办结", "已转办 转办", argument="已转办", note=Note.NEEDED, soft=True),
    *_rows("办结", "是 是的 对 对的", soft=True, action="close", after="settled"),
    *_rows("反馈", "反馈 进展", note=Note.NEEDED),
    *_rows("派单", "派单 派给 派", note=Note.NAME, glued=True),
    *_rows("改派", "改派 改派给", note=Note.NAME, glued=True, action="reassign"),
    *_rows("退回", "退回 退单", note=Note.NEEDED),
    *_rows(
        "核查",
        "返工 不通过 没通过 核实不属实 退回",
        argument="返工",
        note=Note.NEEDED,
        action="rework",
    ),
    *_rows("核查", "通过 核实通过 属实 核实属实", argument="通过", note=Note.FREE, action="check"),
    *_rows("误报", "误报 是误报", note=Note.FREE),
    *_rows("误报", "误会 是误会 一场误会 虚惊一场 没这回事", note=Note.DONE, soft=True),
    # What was asked for last is meant.
    *_rows("挂起", "同意 同意挂起 批准 可以", action="suspend", after="suspend_request"),
    *_rows(
        "反馈", "不同意", argument="不同意挂起", note=Note.FREE, action="suspend", after="suspend_request"
    ),
    *_rows("延期", "同意 同意延期 批准 可以", argument="同意", action="extend", after="extend_request"),
    *_rows("延期", "不同意", argument="不同意", note=Note.FREE, action="extend", after="extend_request"),
    *_rows("恢复", "恢复 恢复办理", action="resume"),
    *_rows("撤回", "撤回 我撤回"),
    *_rows("满意", "满意 很满意 非常满意 挺满意 比较满意 满意满意"),
    *_rows("不满意", "不满意 很不满意 不太满意 不满", note=Note.FREE, glued=True),
    *_rows("不满意", "没修好 没办好 没弄好 没解决 没处理 还没好 还没修好 还没解决", note=Note.OWN, soft=True),
    # Words of the ladder; the level is told to the command.
    *_rows("升级", "升级 上报 往上报 上报上级", note=Note.FREE, action="escalate"),
    *_rows("升级", "转社区 上报社区 交社区", argument="社区", note=Note.FREE, action="escalate"),
    *_rows("升级", "转街道 上报街道 交街道", argument="街道", note=Note.FREE, action="escalate"),
    *_rows("升级", "转区 上报区里 转区里", argument="区", note=Note.FREE, action="escalate"),
    *_rows("交回", "交回", note=Note.NEEDED),
    *_rows("退回", "交回", note=Note.NEEDED),  # of what was not handed up, who took it hands it back
    *_rows("延期", "延期", note=Note.NEEDED),
    *_rows("免办", "免办", note=Note.NEEDED, action="excuse"),
    # Of no ticket.
    Plain("值班 下", "值班", argument="下", offered=True),
    Plain("看护名单", "看护名单", offered=True),
)

# Said before and behind without changing what is meant.
POLITE_BEFORE: Sequence[str] = (
    *("好的", "好嘞", "收到", "嗯嗯", "嗯", "哦", "要得", "ok", "谢谢", "感谢", "辛苦了", "辛苦"),
    *("那", "我"),
)
POLITE_BEHIND: Sequence[str] = (
    *("谢谢", "感谢", "辛苦了", "辛苦", "麻烦了", "哈", "哦", "噢", "喔", "啊", "呀", "啦", "咯", "了", "的"),
    *("嘛", "吧", "哟"),
)

_declared: dict[str, list[Plain]] = {}


def declare(command: str, words: Iterable[Plain]) -> None:
    """Adds a command's own words."""
    for row in words:
        _declared.setdefault(row.word, []).append(replace(row, command=row.command or command))


def all_words() -> Mapping[str, tuple[Plain, ...]]:
    """Every word with what it may mean, first things first."""
    found = {word: list(rows) for word, rows in _declared.items()}
    for row in TABLE:
        found.setdefault(row.word, []).append(row)
    return {word: tuple(rows) for word, rows in found.items()}
