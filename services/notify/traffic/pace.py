"""How fast a provider may be called: so many a second per number, and rarely to one person.

Pure but for what it remembers. Instants are seconds of any clock that never goes back. What is
remembered is bounded: a bucket keeps its burst, and a person's entry goes when they may be called.
Each process keeps its own pace; where several send, they share a number's rate by their settings.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Mapping
from typing import Final, NamedTuple

# A burst is an eighth of a second's worth: smooth to the provider, few looks at the queue for us.
_BURSTS: Final = 8
# More persons than this are not kept out of the queue's query; they are still not called early.
MOST_WAITING: Final = 1000


class Speed(NamedTuple):
    """A number's limits: messages per second (0: none), seconds between two to one person."""

    per_second: float = 0.0
    gap_seconds: float = 0.0


class Bucket:
    """Never more than ``per_second`` calls within any one second, and those evenly.

    The call after a burst has to wait until the burst's own share of a second is over. As many
    bursts as fit into a second hold no more than ``per_second`` calls.
    """

    def __init__(self, per_second: float) -> None:
        """``per_second`` is positive; below one it is the pause between two calls that counts."""
        burst = max(1, int(per_second / _BURSTS))
        self._interval = 1.0 / (per_second // burst) if per_second >= 1 else 1.0 / per_second
        self._taken: deque[float] = deque(maxlen=burst)
        self._burst = burst

    def free_at(self) -> float:
        """Return when the next call may be made, minus infinity when at any time."""
        full = len(self._taken) == self._burst
        return self._taken[0] + self._interval if full else float("-inf")

    def room(self, now: float) -> int:
        """Return how many calls may be made now."""
        recent = sum(taken + self._interval > now for taken in self._taken)
        return self._burst - recent

    def take(self, now: float) -> None:
        """Note that a call is made now; ``free_at`` allowed it."""
        self._taken.append(now)


class Rests:
    """Who must not be called yet, and which of them somebody waits to call."""

    def __init__(self) -> None:
        """Nobody rests."""
        self._until: dict[str, float] = {}
        self._ends: list[tuple[float, str]] = []
        self._waiting: dict[str, None] = {}

    def __len__(self) -> int:
        """Return how many rest."""
        return len(self._until)

    def until(self, person: str, now: float) -> float:
        """Return when ``person`` may be called; ``now`` when they may at once."""
        self._forget(now)
        return self._until.get(person, now)

    def rest(self, person: str, until: float) -> None:
        """Leave ``person`` alone until then, or longer where that was said before."""
        if until > self._until.get(person, float("-inf")):
            self._until[person] = until
            heapq.heappush(self._ends, (until, person))

    def wait(self, person: str) -> None:
        """Note that there is a message for ``person``, who rests."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting[person] = None

    def waiting(self, now: float) -> tuple[str, ...]:
        """Return the persons whose messages need no look yet."""
        self._forget(now)
        return tuple(self._waiting)

    def first_end(self, now: float) -> float | None:
        """Return when the first of those waited for may be called."""
        self._forget(now)
        return min((self._until[person] for person in self._waiting), default=None)

    def _forget(self, now: float) -> None:
        while self._ends and self._ends[0][0] <= now:
            end, person = heapq.heappop(self._ends)
            # A longer rest that was ordered meanwhile has an entry of its own.
            if self._until.get(person) == end:
                del self._until[person]
                self._waiting.pop(person, None)


class Pace:
    """The speeds of all channels. A channel without one is as fast as it goes."""

    def __init__(self, speeds: Mapping[str, Speed]) -> None:
        """``speeds`` maps channels to their limits."""
        self._gaps = {channel: speed.gap_seconds for channel, speed in speeds.items()}
        self._buckets = {
            channel: Bucket(speed.per_second)
            for channel, speed in speeds.items()
            if speed.per_second > 0
        }
        self._rests: dict[str, Rests] = {}

    def take(self, channel: str, person: str, now: float) -> bool:
        """Take a slot for a call to ``person`` now; False when it must wait."""
        bucket = self._buckets.get(channel)
        if bucket is not None and bucket.free_at() > now:
            return False
        rests, gap = self._rests.get(channel), self._gaps.get(channel, 0.0)
        if rests is not None and rests.until(person, now) > now:
            rests.wait(person)
            return False
        if gap > 0:
            self.rest(channel, person, now + gap)
        if bucket is not None:
            bucket.take(now)
        return True

    def rest(self, channel: str, person: str, until: float) -> None:
        """Call ``person`` on ``channel`` no earlier than ``until``."""
        self._rests.setdefault(channel, Rests()).rest(person, until)

    def hold(self, channel: str, person: str, until: float) -> None:
        """Like ``rest``, for a person whose message was just looked at in vain."""
        self.rest(channel, person, until)
        self._rests[channel].wait(person)

    def room(self, channel: str, now: float, most: int) -> int:
        """Return how many calls ``channel`` allows now, at most ``most``."""
        bucket = self._buckets.get(channel)
        return most if bucket is None else min(most, bucket.room(now))

    def waiting(self, channel: str, now: float) -> tuple[str, ...]:
        """Return the persons whose messages on ``channel`` need no look yet."""
        rests = self._rests.get(channel)
        return () if rests is None else rests.waiting(now)

    def next_look(self, now: float, *, pressed: frozenset[str]) -> float | None:
        """Return in how many seconds a message that had to wait may go; None when none waits.

        ``pressed`` names the channels whose queue held as much as the channel allowed.
        """
        ends = [end for rests in self._rests.values() if (end := rests.first_end(now)) is not None]
        ends += [self._buckets[channel].free_at() for channel in pressed & self._buckets.keys()]
        return max(0.0, min(ends) - now) if ends else None
