"""`gridbot audit`: who did what to a ticket, what a person did, what was done on a day."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from bot.settings import Settings
from bot.terminal import Config, said_plainly, settings_of
from bot.web.names import Names
from handlers.files import ConfigError
from handlers.texts import load_texts
from storage import audit
from storage.audit import Act
from storage.database import Database

_LONGEST = 200  # characters of a value in a line of text


def audit_one(
    ticket: Annotated[str, typer.Option("--ticket", help="The ticket's whole number.")] = "",
    person: Annotated[str, typer.Option("--person", help="Id or name of a person; also board, bot.")] = "",
    day: Annotated[str, typer.Option("--day", help="A day of the street, YYYY-MM-DD.")] = "",
    form: Annotated[str, typer.Option("--format", help="text, or json: one object a line.")] = "text",
    config: Config = None,
) -> None:
    """Who did what, with what was before and what came of it: to a ticket, by a person, or on a day."""
    with said_plainly():
        for line in run(settings_of(config), ticket=ticket, person=person, day=day, form=form):
            typer.echo(line)


def run(settings: Settings, *, ticket: str, person: str, day: str, form: str) -> Iterator[str]:
    """The lines to print, oldest first. Raises ConfigError where not just one of the three is asked for."""
    if sum(map(bool, (ticket, person, day))) != 1:
        raise ConfigError("audit: name one of --ticket, --person, --day")
    if form not in ("text", "json"):
        raise ConfigError(f"--format: text or json, not {form!r}")
    start = _start_of(day, settings.tz) if day else None
    names = Names(load_texts(settings.texts))
    database = Database(settings.storage.url)
    try:
        database.upgrade()
        with database.reading() as session:
            if ticket:
                found = audit.of_ticket(session, ticket.upper())
                if not found:
                    raise ConfigError(f"--ticket: there is no ticket {ticket}")
            elif person:
                found = audit.of_person(session, person)
            else:
                assert start is not None
                found = audit.between(session, start, start + timedelta(days=1))
    finally:
        database.close()
    yield from (_as_json if form == "json" else _as_text)(found, settings.tz, names)


def _start_of(day: str, zone: ZoneInfo) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(day), time(), zone)
    except ValueError:
        raise ConfigError(f"--day: {day!r} is not a day such as 2026-07-12") from None


def name_of(names: Names, act: Act) -> str:
    """办结 (close); the code alone where nobody named it."""
    name = names("event" if act.of_ticket else "action", act.action)
    return act.action if name == act.action else f"{name} ({act.action})"


def _as_json(found: Iterable[Act], zone: ZoneInfo, names: Names) -> Iterator[str]:
    for act in found:
        told: dict[str, Any] = {
            "id": str(act.id),
            "at": act.at.astimezone(zone).isoformat(),
            "actor": act.actor,
            "actor_name": act.actor_name,
            "action": act.action,
            "name": names("event" if act.of_ticket else "action", act.action),
            "subject": act.subject,
            "before": act.before,
            "after": act.after,
            "note": act.note,
        }
        yield json.dumps(
            told | ({"undone": [str(id) for id in act.undone]} if act.undone else {}), ensure_ascii=False
        )


def _as_text(found: Iterable[Act], zone: ZoneInfo, names: Names) -> Iterator[str]:
    """One line an act, and one for each thing that it changed."""
    for act in found:
        who = f"{act.actor_name} ({act.actor})" if act.actor_name not in ("", act.actor) else act.actor
        note = f"  “{_short(act.note)}”" if act.note else ""
        at = f"{act.at.astimezone(zone):%Y-%m-%d %H:%M:%S}"
        yield f"{at}  {who}  {name_of(names, act)}  {act.subject}{note}"
        for key in {**act.before, **act.after}:
            yield f"    {key}: {_shown(act.before, key, names)} -> {_shown(act.after, key, names)}"


def _shown(values: Mapping[str, Any], key: str, names: Names) -> str:
    value = values.get(key)
    if value is None or value == "":
        return "-"
    if isinstance(value, str):
        return _short(names(key, value))
    return _short(json.dumps(value, ensure_ascii=False))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
