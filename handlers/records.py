"""Who did what beside the tickets: one row in the action log for each change."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session

from handlers.context import Context
from handlers.permissions import Actor
from storage.tables import ActionLog

# Of what stands in the action log, for those who read it. The events of tickets are names.event of the texts.
ACTION_NAMES: Final[Mapping[str, str]] = {
    "invite": "做加入码",
    "revoke": "作废加入码",
    "join": "加入",
    "bind": "绑群",
    "quiet": "静默",
    "duty_on": "值班上",
    "duty_off": "值班下",
    "visited": "已访",
    "review": "人工确认",
    "reply_retry": "再试发送",
    "reply_drop": "不发了",
    "sign_in": "登录网页",
    "sign_out": "退出网页",
    "session_end": "让浏览器退出",
    "link": "要登录网址",
    "train": "重新学习",
    "train_back": "退回旧模型",
    "import": "导入组织",
    "import_change": "导入时改",
    "import_remove": "导入时删",
    "organisation_add": "网页上加",
    "organisation_change": "网页上改",
    "organisation_remove": "网页上删",
    "organisation_adopt": "组织文件转入数据库",
    "care_import": "导入看护名册",
    "care_rotate": "看护名册换密钥",
    "erase_ask": "要求删除个人信息",
    "erase_stop": "取消删除个人信息",
    "erase": "删除个人信息",
    "person_export": "导出个人信息",
    "export": "导出表格",
    "export_cancel": "取消导出",
}


def note(
    ctx: Context,
    actor: Actor,
    action: str,
    subject: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    message_id: int = 0,
) -> None:
    """Appends one row. subject: "group:river", "person:zhou"; before, after: values of JSON's types."""
    noted(ctx.session, ctx.now, actor, action, subject, before=before, after=after, message_id=message_id)


def noted(
    session: Session,
    now: datetime,
    actor: Actor,
    action: str,
    subject: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    message_id: int = 0,
) -> None:
    """The same for who has no world at hand, such as the command line."""
    session.add(
        ActionLog(
            at=now,
            actor=actor.id,
            actor_name=actor.name,
            action=action,
            subject=subject,
            before=dict(before or {}),
            after=dict(after or {}),
            message_id=message_id or None,
        )
    )
