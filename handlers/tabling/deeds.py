"""Who did what, and the digests."""

from dataclasses import dataclass

from handlers import discretion
from handlers.context import Context
from handlers.lists import Asked
from handlers.records import ACTION_NAMES
from handlers.tabling.base import LIGHT, Row, columns, local
from handlers.tabling.tickets import person_name
from storage import lists as store
from storage.lists import Deed

AUDIT = columns("时间 17, 人员 12, 身份 10, 操作 14, 对象 22, 网格 14, 说明 50, 改动 60")
DIGESTS = columns("日期 12, 范围 14, 内容 100, 生成时间 17")


@dataclass
class Audit:
    asked: Asked
    seen: int = 0
    _after: int = 0

    def total(self, ctx: Context) -> int:
        return store.count_deeds(ctx.session, self.asked.wanted(ctx))

    def batch(self, ctx: Context) -> list[Row] | None:
        found = store.deeds(ctx.session, self.asked.wanted(ctx), self._after, LIGHT)
        if not found:
            return None
        self.seen, self._after = self.seen + len(found), found[-1].id
        return [_deed_row(ctx, deed) for deed in found]


def _deed_row(ctx: Context, deed: Deed) -> Row:
    person = ctx.organisation.person(deed.actor)
    key = f"names.event.{deed.action}"
    return (
        local(ctx, deed.at),
        discretion.doer(ctx, deed.actor, deed.actor_name),
        ctx.texts(f"names.role.{person.role}") if person else "",
        ctx.texts(key) if deed.number and ctx.texts.has(key) else ACTION_NAMES.get(deed.action, deed.action),
        deed.number or _subject(ctx, deed.subject),
        ctx.organisation.area_name(deed.area),
        discretion.told(ctx, deed.note),
        _changes(ctx, deed),
    )


def _subject(ctx: Context, subject: str) -> str:
    """person:wxid_... is shown as the person, if he is of those who help."""
    what, _, code = subject.partition(":")
    person = ctx.organisation.person(code) if what in {"person", "people"} else None
    return discretion.doer(ctx, code, person.name) if person else discretion.told(ctx, subject)


# Columns by which nobody is told who a resident is; of the others only that they changed.
_SHOWN = frozenset(
    {
        "state", "resolution", "label", "urgency", "level", "track", "area", "owner", "handler_name",
        "satisfied", "recurring", "extensions", "extended_minutes", "kind", "role", "unit", "code", "topic",
        "parent", "day", "until", "since",
    }
)  # fmt: skip
_NAMED = {"state": "state", "resolution": "resolution", "label": "label", "level": "level", "track": "track"}


def _changes(ctx: Context, deed: Deed) -> str:
    """state: 已上报→已受理；handler: 改了"""
    names = dict.fromkeys([*deed.before, *deed.after])
    found = [_change(ctx, name, deed.before.get(name), deed.after.get(name)) for name in names]
    return "；".join(change for change in found if change)


def _change(ctx: Context, name: str, old: object, new: object) -> str:
    if old == new:
        return ""
    if name not in _SHOWN:
        return f"{name}"
    shown = [_value(ctx, name, value) for value in (old, new)]
    return f"{name}: {'→'.join(shown)}" if old not in (None, "") else f"{name}: {shown[1]}"


def _value(ctx: Context, name: str, value: object) -> str:
    if value is None:
        return "无"
    key = f"names.{_NAMED.get(name)}.{value}"
    if name in _NAMED and ctx.texts.has(key):
        return ctx.texts(key)
    if name == "owner":
        return person_name(ctx, f"{value}")
    if name == "area":
        return ctx.organisation.area_name(f"{value}") or f"{value}"
    return discretion.told(ctx, f"{value}")


@dataclass
class Digests:
    asked: Asked
    seen: int = 0
    _after: int = 0

    def total(self, ctx: Context) -> int:
        return store.count_digests(ctx.session, self.asked.start, self.asked.end)

    def batch(self, ctx: Context) -> list[Row] | None:
        found = store.digests(ctx.session, self.asked.start, self.asked.end, self._after, LIGHT)
        if not found:
            return None
        self.seen, self._after = self.seen + len(found), found[-1].id
        areas = self.asked.areas(ctx)
        codes = None if areas is None else {code.upper() for code in areas}
        return [
            (digest.day, digest.scope, digest.text, local(ctx, digest.made_at))
            for digest in found
            if codes is None or digest.scope.partition(":")[0].upper() in codes
        ]
