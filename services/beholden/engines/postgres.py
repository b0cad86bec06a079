"""PostgreSQL: the machine's own binaries, run over a private cluster."""

from __future__ import annotations

import os
import pwd
import re
import secrets
import shutil
import signal
from pathlib import Path

from beholden.core.errors import FailedPrecondition
from beholden.engines import packages
from beholden.engines.engine import Found, missing
from beholden.engines.unit import Unit, environment, free_port

_DEBIAN = Path("/usr/lib/postgresql")
_PORT = 5432
_OWNER = "beholden"


class Postgres:
    """Implements `Engine`."""

    name = "postgres"
    title = "PostgreSQL"
    pinned = "14"
    twin = "SQLite"

    def find(self) -> Found | None:
        """See `Engine.find`: the newest of Debian's places, or PATH's."""
        places = sorted(_DEBIAN.glob("*/bin"), key=lambda place: -float(place.parent.name))
        path = os.pathsep.join([*map(str, places), os.environ.get("PATH", "")])
        binary = shutil.which("postgres", path=path)
        if binary is None or shutil.which("initdb", path=path) is None:
            return None
        said = packages.run([binary, "--version"], "postgres does not run")
        version = re.search(r"\d+(\.\d+)?", said)
        if version is None or int(version[0].partition(".")[0]) < int(self.pinned):
            return None
        return Found(version[0], Path(binary))

    def install(self) -> Found:
        """See `Engine.install`: from Debian's packages, where we may."""
        if (found := self.find()) is not None:
            return found
        apt = shutil.which("apt-get")
        if apt is None or os.geteuid():
            raise FailedPrecondition(
                f"there is no PostgreSQL {self.pinned} or newer here",
                remedy="install it; on Debian and Ubuntu: sudo apt-get install postgresql",
            )
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (
            ["update"],
            ["install", "--yes", "--no-install-recommends", "postgresql"],
        ):
            packages.run([apt, "-qq", *arguments], "apt-get cannot install it", env=quiet)
        if (found := self.find()) is None:
            raise FailedPrecondition("apt-get's postgresql is older than it may be")
        return found

    def unit(self, folder: Path, port: int | None = None) -> Unit:
        """A server over the cluster in `folder`, which is made where it is not there.

        On loopback, its port chosen as Triton's. Its one role has a password of its own, which is
        part of `address`. Raises FailedPrecondition when it is not installed, cannot be run as
        another user than root, or makes no cluster.
        """
        if (found := self.find()) is None:
            raise missing(self)
        user = _account(folder)
        cluster, secret = folder / "cluster", folder / "password"
        if not cluster.exists():
            _make(found.path.parent, cluster, secret, user)
        at = free_port(_PORT if port is None else port)
        password = secret.read_text().strip()
        address = f"postgresql://{_OWNER}:{password}@127.0.0.1:{at}/postgres"
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": at,
            "unix_socket_directories": "",
        }
        return Unit(
            name=self.name,
            argv=[
                *(str(found.path), "-D", str(cluster)),
                *(word for item in settings.items() for word in ("-c", "{}={}".format(*item))),
            ],
            address=address,
            health=address,
            env=environment(),
            folder=folder,
            user=user,
            stop=signal.SIGINT,  # "fast": it does not wait for its clients
        )


def _make(binaries: Path, cluster: Path, secret: Path, user: str | None) -> None:
    """Makes the cluster in one move, its role's password in `secret`."""
    secret.unlink(missing_ok=True)
    secret.touch(0o600)
    secret.write_text(secrets.token_urlsafe(24) + "\n")
    if user:
        shutil.chown(secret, user, user)
    fresh = cluster.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    packages.run(
        [
            *(str(binaries / "initdb"), "-D", str(fresh), "-U", _OWNER),
            *("--auth", "scram-sha-256", "--pwfile", str(secret)),
            *("--encoding", "UTF8", "--locale", "C"),
        ],
        "initdb made no cluster",
        cwd=cluster.parent,
        **({"user": user, "group": user, "extra_groups": ()} if user else {}),
    )
    fresh.rename(cluster)


def _account(folder: Path) -> str | None:
    """Who runs the server: root may not. `folder` is made, and made theirs."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if os.geteuid():
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = "postgres" if "postgres" in names else "nobody"
    closed = [place for place in folder.resolve().parents if not place.stat().st_mode & 0o001]
    if closed:
        raise FailedPrecondition(
            f"PostgreSQL does not run as root, and {user} may not enter {closed[-1]}",
            remedy="use a folder that others may enter, or run as another user than root",
        )
    shutil.chown(folder, user)
    return user
