"""The bounds of a store. The defaults are right for an office; tests make them small."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds in appends, events, bytes, pages of 4 KiB, and seconds."""

    # What one transaction carries at most: a commit stays short, and others get their turn.
    group_appends: int = 512
    group_bytes: int = 4 << 20
    # How much longer than a single append's a commit of a bulk may take: a short while when
    # somebody appends beside it.
    bulk_seconds: float = 0.02
    bulk_beside_others_seconds: float = 0.0004
    # What may wait: beyond it callers wait for room, and are turned away in the end.
    waiting_appends: int = 4096
    wait_seconds: float = 5.0

    # SQLite: how long appends wait for another process to finish its commit.
    busy_seconds: float = 10.0
    # A commit or a slice of a merge slower than this sends the next ones to a thread.
    slow_seconds: float = 0.01
    slow_commits: int = 16
    # The indexes are brought up to date after so many events or bytes. Many, because a large merge
    # writes each page of an index once; but what is not merged yet is in memory. An event of the
    # usual size reaches the first bound before the second; parts of a settlement file do not.
    merge_events: int = 32_768
    merge_bytes: int = 16 << 20
    # A write-ahead log is checkpointed after about so many pages. Few, because a commit into space
    # that the file has already is a third faster than one that makes the file longer.
    checkpoint_pages: int = 1000
    # Of how many streams the version is remembered.
    known_versions: int = 50_000
