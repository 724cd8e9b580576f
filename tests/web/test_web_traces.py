"""Every tap on the board that changes something leaves a trace in the action log, or is a message itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from sqlmodel import col, select

from bot.web.app import make_app
from bot.web.names import Names
from bot.web.signin import new_url
from bot.world import Worlds
from handlers.context import Context
from handlers.joining import Invitation, invite
from handlers.permissions import OPERATOR
from storage import signin
from storage.tables import ActionLog, Export, Joining, ReplyState, Review
from tests.support.classifier import WordClassifier
from tests.web.conftest import Browser
from tests.web.street import NOON, ROOT, Street, message, reply


@dataclass(frozen=True, slots=True)
class Tap:
    """A form as it is sent; `action` is what the log then calls it, "" where it is a message."""

    action: str
    path: str
    form: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


# By the route's path. `{reply}` and the like: of the rows that are put there before.
TAPS = {
    "/signin": Tap("sign_in", "/signin", {"token": "{token}", "target": "/groups"}),
    "/sessions/{name}/end": Tap("session_end", "/sessions/{session}/end"),
    "/signout": Tap("sign_out", "/signout", status=401),
    r"/replies/{id}/retry": Tap("reply_retry", "/replies/{reply}/retry"),
    r"/replies/{id}/drop": Tap("reply_drop", "/replies/{reply}/drop"),
    r"/reviews/{id}": Tap("review", "/reviews/{message}", {"choice": "ignore"}),
    "/joining": Tap("invite", "/joining", {"what": "person", "role": "volunteer", "area": "CTM-0101"}),
    r"/joining/{id}/revoke": Tap("revoke", "/joining/{joining}/revoke"),
    "/organisation/{table}/entry": Tap(
        "organisation_add", "/organisation/people/entry", {"name": "郑新人", "role-0": "volunteer"}
    ),
    "/organisation/{table}/remove": Tap(
        "organisation_remove", "/organisation/people/remove", {"key": "he", "stamp": "{stamp}"}
    ),
    "/exports": Tap("export", "/exports", {"table": "tickets", "format": "csv", "area": "CTM-01"}),
    r"/exports/{id}/cancel": Tap("export_cancel", "/exports/{export}/cancel"),
    "/chat/say": Tap("", "/chat/say", {"room": "river", "me": "tang", "text": "早"}, 204),
}


def _changing(app: web.Application) -> set[str]:
    routes = [route for route in app.router.routes() if route.method not in {"GET", "HEAD"}]
    return {route.resource.canonical for route in routes if route.resource is not None}


def test_every_form_is_tried(street: Street) -> None:
    assert _changing(make_app(street.parts)) == TAPS.keys()


def _rows(street: Street) -> dict[str, int | str]:
    """What the taps are about."""
    asked, failed = (
        message("river", "tang", "好像有点味道"),
        reply("k", "river", "话", state=ReplyState.FAILED),
    )
    review = Review(
        message_id=asked.id, account=asked.account, room="river", label="safety", urgency=2, chance=0.5,
        made_at=NOON, expires_at=NOON.replace(year=2027),
    )  # fmt: skip
    export = Export(name="tickets", format="csv", made_by="operator", made_at=NOON)
    street.keep(asked, failed, review, export)
    with street.database.transaction() as session:
        ctx = Context(session, NOON, street.parts.world())
        invite(ctx, OPERATOR, Invitation(role="volunteer", area="CTM-0101"))
        session.flush()
        joining = session.exec(select(Joining.id)).one()
        token = signin.make_link_token(session, NOON, timedelta(minutes=5))
        signin.make_session(session, NOON, timedelta(days=1), timedelta(days=1), person="fan")
        [other] = signin.sessions(session, NOON, "fan")
        named = signin.name_of(other)
    rows = {"reply": failed.id, "message": asked.id, "joining": joining, "export": export.id}
    return rows | {"token": token, "session": named}


@pytest.mark.parametrize("route", TAPS)
@pytest.mark.usefixtures("listening")
async def test_a_tap_leaves_a_trace(street: Street, route: str) -> None:
    settings = street.parts.settings.model_copy(update={"organisation": ROOT / "organisation.yaml"})
    worlds = Worlds(settings, WordClassifier(), street.database)
    parts = replace(street.parts, settings=settings, world=worlds, reload=worlds.reload)
    rows, tap = _rows(street), TAPS[route]
    async with TestClient(TestServer(make_app(parts)), cookie_jar=CookieJar(unsafe=True)) as client:
        browser = Browser(client)
        await browser.sign_in(parts)
        shown = await browser.get("/organisation/people/remove?key=he")
        values = rows | {"stamp": shown.partition('name="stamp" value="')[2].partition('"')[0]}
        before, heard = _log(street), len(street.heard)
        form = {name: value.format(**values) for name, value in tap.form.items()}
        await browser.post(tap.path.format(**values), tap.status, data=form)
    fresh = [row for row in _log(street) if row.id not in {old.id for old in before}]
    if not tap.action:
        assert len(street.heard) == heard + 1  # the built-in chat: it is said, and kept as what people say is
        return
    assert tap.action in {row.action for row in fresh}
    names = Names(parts.world().texts)
    for row in fresh:
        assert (row.actor, row.actor_name, row.at) == ("operator", "运维", NOON)
        assert names("action", row.action) != row.action


def _log(street: Street) -> list[ActionLog]:
    with street.database.reading() as session:
        return list(session.exec(select(ActionLog).order_by(col(ActionLog.id))))


async def test_signing_in_leaves_a_trace(browser: Browser, street: Street) -> None:
    new_url(street.database, street.parts.settings, street.parts.clock)
    assert [(row.actor, row.action) for row in _log(street)] == [
        ("operator", "sign_in"),
        ("operator", "link"),
    ]
