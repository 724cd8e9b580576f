"""Nothing of what people said, and of who they are, stands in the log."""

import io
import json
import logging
import sys
from typing import Any

import pytest
import structlog

from bot import logs
from bot.settings import LogSettings
from handlers import pipeline
from handlers.incoming import Incoming
from storage.database import Database
from tests.support.street import Street

PHONE, ID_NUMBER, FLAT = "13800001234", "500101199003070011", "2单元501"
SAID = f"江岸大厦3栋{FLAT}冒烟，我叫柳如烟，电话{PHONE}，身份证{ID_NUMBER}"
PERSONAL = (PHONE, ID_NUMBER, FLAT, "柳如烟", "冒烟", "wxid_liu_secret")


@pytest.fixture(params=["console", "json"])
def written(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What goes to standard error, with everything logged that can be."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    logs.configure(LogSettings(level="debug", format=request.param))
    return stream


def _breaks(*_: object) -> None:
    raise ValueError(f"cannot do with {SAID} of wxid_liu_secret")


def test_intake_tells_nothing_even_when_it_fails(
    written: io.StringIO, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    street = Street(database)
    more: dict[str, Any] = {"sender_name": "柳如烟"}
    street.say("river", "wxid_liu_secret", SAID, **more)
    street.say("river", "zhou", f"#反馈 已联系柳如烟{PHONE}")
    monkeypatch.setattr(pipeline.reports, "handle_report", _breaks)
    street.say("stairs", "wxid_liu_secret", f"石梯坎{FLAT}冒烟 {PHONE}", **more)
    monkeypatch.setattr(pipeline.commands, "run", _breaks)
    street.say("river", "wxid_liu_secret", f"#报 {SAID}", **more)
    _unstorable(street, street.incoming("river", "wxid_liu_secret", SAID, **more))
    assert street.intake.failed == 3
    told = written.getvalue()
    assert told.count("message_failed") == 2
    assert "message_not_stored" in told
    assert [word for word in PERSONAL if word in told] == []


def _unstorable(street: Street, incoming: Incoming) -> None:
    street.intake._store = _breaks  # type: ignore[method-assign]
    street.intake.work([incoming])


def test_what_slips_through_is_masked(written: io.StringIO) -> None:
    log = structlog.get_logger("test")
    log.error(
        "strange", reason=SAID, many=[{"what": {PHONE: FLAT}}], deep=[[[[[[PHONE]]]]]], error=ValueError(SAID)
    )
    try:
        _breaks()
    except ValueError:
        log.exception("broken", reference="E123456", message=1234567890123456789)
        logging.getLogger("some.library").exception("cannot %s", PHONE)
    told = written.getvalue()
    assert [word for word in (PHONE, ID_NUMBER, FLAT) if word in told] == []
    assert "〔电话〕" in told
    assert "E123456" in told
    assert "1234567890123456789" in told


def test_a_line_stays_data() -> None:
    event = {"event": "x", "count": 3, "ok": True, "none": None, "names": ("a", "b"), "_record": object()}
    assert json.dumps(logs.mask_values(None, "info", {k: v for k, v in event.items() if k != "_record"}))
    assert logs.mask_values(None, "info", dict(event))["_record"] is event["_record"]


def test_a_line_that_cannot_be_written_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    logs.configure(LogSettings(level="info", format="json"))
    stream.close()  # as a reader that has gone, or a full disk
    structlog.get_logger("any").error("reply_given_up", replies=[1])
