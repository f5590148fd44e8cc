"""After a simulation: the read models are filled, and nobody reacts to the invented past."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from deploy.serve import Running
from shared.bus import Delivery
from shared.bus.local import SOURCE
from shared.events import Recorded
from shared.projection import Projector
from shared.topics import belongs_to

_BATCH = 5000


async def prepare(running: Running) -> list[Projector]:
    """Create the tables of every service, and return what fills them."""
    projectors = [one for service in running.services for one in service.folds(worker=False)]
    for projector in projectors:
        await projector.prepare()
    return projectors


async def fold(running: Running, told: Callable[[float], None]) -> None:
    """Fill every read model, and pass everything over that would be reacted to.

    What the services react with was decided at its own simulated instant. What notify would send is
    about the past, to numbers that are nobody's. ``told`` hears the part that is done.
    """
    projectors, store = await prepare(running), running.kernel.store
    head = await store.head()
    after = min([(await one.positions()).get(SOURCE, 0) for one in projectors], default=0)
    while batch := await store.read_all(after, _BATCH):
        for projector in projectors:
            await projector.project(_wanted(projector, batch))
        after = batch[-1].position
        told(after / head)
    for service in running.services:
        for reactor in service.reactors:
            await reactor.prepare()
            await reactor.pass_over({SOURCE: head})


def _wanted(projector: Projector, batch: Sequence[Recorded]) -> list[Delivery]:
    wanted = belongs_to(projector.projection.topics)
    events = [recorded for recorded in batch if wanted(recorded.stream)]
    return [Delivery(SOURCE, events)] if events else []
