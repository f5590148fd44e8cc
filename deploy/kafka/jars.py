"""The broker's jars: resolved once by Maven into a cache folder, and found there ever after."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from deploy.parts import PartMissing, PartNotReady

VERSION = "4.4.0"
POM = Path(__file__).parent / "pom.xml"
RESOLVE_SECONDS = 600


def default_cache() -> Path:
    """Return ``$XDG_CACHE_HOME/jejak/kafka-VERSION``, or the same below ``~/.cache``."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "jejak" / f"kafka-{VERSION}"


def program(name: str, package: str) -> str:
    """Return the path of ``name``.

    Raises:
        PartMissing: it is not installed; names the Debian ``package`` that has it.
    """
    if found := shutil.which(name):
        return found
    raise PartMissing(part="Kafka", what=name, remedy=f"On Debian: apt-get install {package}")


def resolve(cache: Path) -> Path:
    """Return the folder with the broker's jars, asking Maven only if ``cache`` lacks them.

    Two processes may ask at once: one resolves, the other waits and finds the jars.

    Raises:
        PartMissing: the jars are not there and Maven or Java is not installed.
        PartNotReady: Maven failed; shows the end of what it said.
    """
    if _complete(cache):
        return cache
    cache.parent.mkdir(parents=True, exist_ok=True)
    with (cache.parent / f"{cache.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _complete(cache):
            _fill(cache)
    return cache


def _complete(cache: Path) -> bool:
    """The cache holds the pom it was made from: a changed pom makes it incomplete."""
    made_from = cache / POM.name
    return made_from.exists() and made_from.read_bytes() == POM.read_bytes()


def _fill(cache: Path) -> None:
    with tempfile.TemporaryDirectory(dir=cache.parent, prefix="kafka-") as work:
        fresh = Path(work) / "jars"
        _copy_dependencies(fresh)
        shutil.copy(POM, fresh)
        # Moved into place whole, so that no start ever sees half of the jars.
        shutil.rmtree(cache, ignore_errors=True)
        fresh.rename(cache)


def _copy_dependencies(folder: Path) -> None:
    program("java", "openjdk-17-jre-headless")
    command = [program("mvn", "maven"), "--batch-mode", "--quiet", "--strict-checksums"]
    command += ["--file", str(POM), "dependency:copy-dependencies"]
    command += [f"-DoutputDirectory={folder}", "-DincludeScope=runtime"]
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RESOLVE_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise PartNotReady(part="Maven", reason="it failed", log=done.stdout[-4000:])
