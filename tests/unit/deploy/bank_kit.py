"""An office and the demonstration's bank, connected in all four dialects and in both directions."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deploy.bank.house import Bank
from deploy.bank.opening import host_app, open_bank, serving
from shared.contracts.workflow import FeeAssessed
from shared.ids import derived_id
from shared.settings import Settings
from tests.bank_partner import new_key
from tests.running import Office, running_office, settings_in, until

CONFIG = Settings().config
AMOUNT = 240_000


@dataclass(frozen=True)
class Town:
    """A running payment service and the bank that it talks with."""

    office: Office
    bank: Bank

    async def bill(self, office: str, number: str) -> str:
        """Have a fee of Rp240.000 assessed; return the bill's virtual account."""
        application = derived_id("town", number)
        fee = FeeAssessed(
            application_id=application,
            number=number,
            office=office,
            permit_type="situ",
            permit_version=1,
            measures={"area_m2": 120},
        )
        await self.office.happened(f"permit-{application}", fee, application=application)

        async def issued() -> str:
            found = await self.office.http.get(f"/api/bills/{number}")
            return str(found.json()["virtual_account"]) if found.status_code == 200 else ""

        return str(await until(issued, what="the bill"))

    async def becomes(self, number: str, state: str) -> None:
        """Wait until a bill is in a state."""

        async def there() -> bool:
            found = await self.office.http.get(f"/api/bills/{number}")
            return bool(found.json()["state"] == state)

        await until(there, 20, what=f"{number} {state}")


@asynccontextmanager
async def open_town(folder: Path) -> AsyncIterator[Town]:
    """Run both. Bogor is served by SNAP, QRIS and tellers, Mataram by legacy accounts."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = folder / "config"
    await asyncio.to_thread(_prepare, folder, config, listener.getsockname()[1])
    async with running_office(
        settings_in(folder, config=config, sweep_seconds=0.1), ["payment"]
    ) as office:
        secret = office.running.kernel.secret
        bank = await asyncio.to_thread(lambda: open_bank(folder, config / "banks", secret))
        try:
            async with serving(host_app(bank, folder), listener):
                yield Town(office, bank)
        finally:
            bank.ledger.close()


def _prepare(folder: Path, config: Path, port: int) -> None:
    shutil.copytree(CONFIG, config, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    new_key(folder / "bank", "office")
    calls = {"base_url": f"http://127.0.0.1:{port}", "announce": True}
    snap: dict[str, Any] = {
        "partner_id": "OFFICE",
        "secret": "bank",
        "private_key": "bank/office.pem",
    }
    snap |= {"hosts": ["127.0.0.1"], "client_id": "office"}
    sheets = {name: _sheet(config, name) for name in ("bank", "va", "qris")}
    sheets["bank"]["offices"].pop("mataram")
    sheets["bank"]["calls"] = calls | snap
    sheets["bank"]["reversal_service"] = "29"
    sheets["va"]["offices"] = {"mataram": 2}
    sheets["va"]["calls"] |= calls
    sheets["va"].pop("cut_off")
    sheets["qris"]["offices"] = ["bogor"]
    sheets["qris"]["calls"] |= {"base_url": calls["base_url"]}
    sheets["qris"].pop("cut_off")
    for name, sheet in sheets.items():
        file = config / "banks" / f"{name}-contoh.yaml"
        file.write_text(yaml.safe_dump(sheet), "utf-8")
    teller = _sheet(config, "teller")
    teller.pop("cut_off")
    (config / "banks" / "teller-contoh.yaml").write_text(yaml.safe_dump(teller), "utf-8")


def _sheet(config: Path, name: str) -> dict[str, Any]:
    file = config / "banks" / f"{name}-contoh.yaml"
    found: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    return found
