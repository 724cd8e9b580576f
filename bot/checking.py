"""`gridbot check`: whether settings, organisation (of file and database) and texts can be used."""

from collections.abc import Sized
from pathlib import Path

import structlog
from sqlalchemy import inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from bot.settings import Settings
from handlers.directory import load_organisation
from handlers.files import ConfigError
from handlers.organisation import Organisation
from handlers.texts import load_texts
from storage.database import Database, DatabaseError, short
from storage.tables import OrgArea

log = structlog.get_logger(__name__)


def checked(settings: Settings) -> str:
    """The line to print. Raises ConfigError with one line a mistake, of all parts at once."""
    problems: dict[str, None] = {}
    organisation = None
    try:
        load_organisation(settings.organisation, named=True)
        organisation = _with_database(settings)
    except ConfigError as error:
        problems[str(error)] = None
    except (DatabaseError, DBAPIError) as error:
        log.warning("database_not_checked", reason=short(error))
        organisation = load_organisation(settings.organisation, named=True)
    try:
        load_texts(settings.texts)
    except ConfigError as error:
        problems[str(error)] = None
    if problems or organisation is None:
        raise ConfigError("\n".join(problems))
    return f"ok: {settings.organisation}: {_counted(organisation)}"


def _counted(organisation: Organisation) -> str:
    counted: dict[str, Sized] = {
        "areas": organisation.areas,
        "places": organisation.places,
        "groups": organisation.groups,
        "people": organisation.people,
        "units": organisation.units,
        "risk points": organisation.risk_points,
    }
    return ", ".join(f"{len(things)} {name}" for name, things in counted.items())


def _with_database(settings: Settings) -> Organisation:
    """File and database together; the file alone where there is no database yet. Makes none.

    Raises ConfigError, DatabaseError, DBAPIError.
    """
    url = make_url(settings.storage.url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return load_organisation(settings.organisation, named=True)
    database = Database(settings.storage.url)
    try:
        if not inspect(database.engine).has_table(str(OrgArea.__tablename__)):
            return load_organisation(settings.organisation, named=True)
        with database.reading() as session:
            return load_organisation(settings.organisation, session, named=True)
    finally:
        database.close()
