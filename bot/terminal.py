"""What the command line's parts share: the settings, and mistakes of the operator said in a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import DBAPIError

from bot import logs
from bot.app import StartError
from bot.gateways.base import GatewayRefused
from bot.settings import Settings, load, unknown_variables
from handlers.files import ConfigError
from storage.database import DatabaseError, short

Config = Annotated[
    Path | None,
    typer.Option("--config", help="Settings file; without it config.yaml here, where there is one."),
]


@contextmanager
def said_plainly() -> Iterator[None]:
    try:
        yield
    except (ConfigError, DatabaseError, StartError, GatewayRefused) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    except DBAPIError as error:
        typer.echo(f"storage.url: {short(error)}", err=True)
        raise typer.Exit(2) from None


def settings_of(config: Path | None) -> Settings:
    settings = load(config)
    logs.configure(settings.log)
    for name in unknown_variables():
        typer.echo(f"{name}: no such setting; ignored", err=True)
    return settings
