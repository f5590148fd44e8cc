"""Row 7, read models and messages: from Kafka to durable rows, from a queue to a provider."""

from __future__ import annotations

from collections.abc import Sequence

from deploy.parts import PartMissing
from shared.codec import Codec
from shared.events import Recorded
from shared.relay import KafkaPublisher
from tests.bench import consuming, permits, sending
from tests.bench.broker import NEEDS_JAVA, broker
from tests.bench.measure import Contestant, Row, Target
from tests.bench.office import office, projections
from tests.bench.plan import Plan
from tests.bench.processes import serving
from tests.bench.telling import Teller

_BATCH = 5000


async def run(plan: Plan, teller: Teller) -> Row:
    """Measure row 7; without Java only the half that needs no broker."""
    row = Row(7, "read models and notify")
    async with serving("null_provider") as port:
        row.targets.append(sending.TARGET)
        await row.interleave(sending.contestants(plan, port), plan.rounds, teller)
    try:
        async with broker(plan, teller) as bootstrap:
            await _read_models(row, plan, bootstrap, teller)
    except PartMissing as error:
        row.not_run.append(f"read models over Kafka: {NEEDS_JAVA}; {error}")
    return row


async def _read_models(row: Row, plan: Plan, bootstrap: str, teller: Teller) -> None:
    rows = permits.log(plan.permits, Codec())
    teller.tell(f"row 7: publishing {len(rows):,} events")
    await _publish(bootstrap, rows)
    async with office(plan.data / "row7") as running:
        models = projections(running)
        topics = sorted({tuple(model.topics) for model in models})
        contestants: dict[str, Contestant] = {
            consuming.raw_name(some): consuming.raw(plan, bootstrap, some, rows) for some in topics
        }
        for model in models:
            name = f"read model {model.name}"
            contestants[name] = consuming.projected(plan, bootstrap, model, name, rows)
            row.targets += _targets(name, tuple(model.topics))
        contestants["Faust"] = consuming.faust(plan, bootstrap)
        # The broker's first group and first fetches are slow, whoever comes first.
        await contestants[consuming.raw_name(topics[0])]()
        await row.interleave(contestants, plan.rounds, teller)
    row.notes.append(f"the topics hold {len(rows):,} events with their CloudEvents headers")


def _targets(name: str, topics: tuple[str, ...]) -> list[Target]:
    return [
        Target(f"{name}: share of raw", name, (consuming.raw_name(topics),), at_least=0.25),
        Target(f"{name}: against plain Faust", name, (consuming.FAUST,), at_least=10),
    ]


async def _publish(bootstrap: str, rows: Sequence[Recorded]) -> None:
    """Send ``rows`` to their topics as the relay does."""
    publisher = KafkaPublisher(bootstrap)
    try:
        for start in range(0, len(rows), _BATCH):
            await publisher.publish(rows[start : start + _BATCH])
    finally:
        await publisher.close()
