"""`gridbot invite`: a one-time code, for who has no board at hand."""

from bot.clock import utc_now
from bot.settings import Settings
from bot.world import NoClassifier, load_world
from handlers.context import Context
from handlers.files import ConfigError
from handlers.joining import BadInvitation, Invitation, Wrong, invite
from handlers.organisation import GroupKind, Role
from handlers.permissions import OPERATOR
from storage.database import Database

_WHY = {
    Wrong.ROLE: f"--role: one of {', '.join(role for role in Role if role is not Role.BOT)}",
    Wrong.KIND: f"--kind: one of {', '.join(GroupKind)}",
    Wrong.AREA: "--area: there is no area of that code or name",
    Wrong.UNIT: "--unit: there is no unit of that code or name, or the role is not unit",
    Wrong.PERSON: "--person: nobody of that id, or not exactly one of that name, was imported",
    Wrong.NAME: "--name: at most 60 characters",
}


def new_code(settings: Settings, wanted: Invitation) -> str:
    """The code, to be shown once. Raises ConfigError naming the option that is wrong."""
    database = Database(settings.storage.url)
    database.upgrade()
    try:
        with database.transaction() as session:
            ctx = Context(session, utc_now(), load_world(settings, NoClassifier(), session))
            return invite(ctx, OPERATOR, wanted)
    except BadInvitation as error:
        raise ConfigError(_WHY[error.why]) from None
    finally:
        database.close()
