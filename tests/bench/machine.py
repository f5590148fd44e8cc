"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PARTS = ("pydantic", "uvicorn", "uvloop", "aiokafka", "faust-streaming", "eventsourcing")


def facts(data: Path) -> dict[str, object]:
    """Return the machine's facts; ``data`` is where the run's files are."""
    cpu, memory = _processor(), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processors": os.cpu_count(),
        "processor": cpu,
        "memory_mib": memory >> 20,
        "load_before": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "disk": _filesystem(data),
        "packages": {name: _version(name) for name in _PARTS},
    }


def revision() -> dict[str, object]:
    """Return the checkout's commit and whether files differ from it; nothing outside a checkout."""
    try:
        commit = _git("rev-parse", "HEAD")
        changed = bool(_git("status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.CalledProcessError):
        return {"commit": None, "changed": None}
    return {"commit": commit, "changed": changed}


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], capture_output=True, text=True, check=True, cwd=Path(__file__).parent
    )
    return done.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _filesystem(folder: Path) -> str:
    """Return the file system's type and device name of the mount that holds ``folder``."""
    place = folder.resolve()
    best = ("", "", "unknown")
    for line in Path("/proc/mounts").read_text().splitlines():
        device, mount, kind = line.split()[:3]
        if place.is_relative_to(mount) and len(mount) >= len(best[1]):
            best = (device, mount, kind)
    return f"{best[2]} on {best[0]}"


def in_memory(folder: Path) -> bool:
    """Whether ``folder`` is on a file system that an fsync does not reach."""
    return _filesystem(folder).split()[0] in ("tmpfs", "ramfs")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
