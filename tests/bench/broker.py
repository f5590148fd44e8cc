"""A real broker for the rows that need one."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.kafka.broker import KafkaBroker
from shared import topic_admin
from tests.bench.plan import Plan
from tests.bench.telling import Teller

NEEDS_JAVA = "needs Java (Debian: apt-get install openjdk-17-jre-headless maven)"


@asynccontextmanager
async def broker(plan: Plan, teller: Teller) -> AsyncIterator[str]:
    """Run a real broker with our topics; give its address. Raises PartMissing without Java."""
    # Topics and groups that are being made are reported at length, and are no news here.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    folder = Path(tempfile.mkdtemp(dir=plan.data))
    kafka = KafkaBroker(folder)
    teller.tell("starting Kafka")
    try:
        await asyncio.to_thread(kafka.start)
        await asyncio.to_thread(topic_admin.apply, kafka.bootstrap)
        yield kafka.bootstrap
    finally:
        await asyncio.to_thread(kafka.stop)
        shutil.rmtree(folder, ignore_errors=True)
