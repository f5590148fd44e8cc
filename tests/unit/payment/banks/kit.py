"""An office with a bank of each dialect, and bills that they are called about."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from services.payment.banks import parts
from services.payment.banks.profile import Banks
from services.payment.bill import DECIDER, Bill, bill_stream
from services.payment.views import BillViews
from shared.contracts.workflow import FeeAssessed
from shared.ids import derived_id
from shared.settings import Settings
from tests.bank_partner import JAKARTA, Partner, digits, new_key
from tests.bank_stand_in import BankServer, serving
from tests.running import Office, running_office, until
from tests.unit.payment.settlement.bank_file import CSV

DEPLOY = Settings().config
# The bank server verifies what this secret signs; files hand it in under every name.
SECRET = "a-secret-that-two-partners-share"
OLD_SECRET = "the-secret-before-it"
NAMES = ("bank", "bank-va", "bank-qris", "bank-teller")
AMOUNT = 240_000
_NUMBER = itertools.count(1)

_SNAP: dict[str, Any] = {
    "dialect": "snap",
    "name": {"id": "Bank", "en": "Bank"},
    "channel_id": "95221",
    "signature": "base64",
    "secrets": ["bank"],
    "public_keys": ["keys/bank-public.pem"],
    "source": "assumed",
}


def profiles(bank: BankServer, now: datetime) -> dict[str, dict[str, Any]]:
    """Return the profiles of a test office, by partner."""
    calls = {"base_url": bank.address, "hosts": ["127.0.0.1"], "client_id": "us"}
    snap_calls = {"partner_id": "US", "secret": "bank", "private_key": "keys/ours.pem"}
    closed = [(now + timedelta(minutes=m)).astimezone(JAKARTA) for m in (-30, 60)]
    found: dict[str, dict[str, Any]] = {
        "bank-snap": {
            "client_id": "snap",
            "partner_id": "SNAP",
            "prefix": "12345",
            "offices": {"bogor": 1},
            "secrets": ["bank", "bank-old"],
            "reversal_service": "29",
            "settlement": {"office": "bogor", "file": dict(CSV)},
            "calls": {**calls, **snap_calls, "announce": True},
        },
        "bank-open": {
            "client_id": "open",
            "partner_id": "OPEN",
            "prefix": "777",
            "amount": "open",
            "signature": "hex",
            "body": "raw",
            "proof": "asymmetric",
            "offices": {"bontang": 3},
        },
        "bank-closed": {
            "client_id": "closed",
            "partner_id": "CLOSED",
            "prefix": "888",
            "cut_off": "-".join(f"{one:%H:%M}" for one in closed),
            "offices": {"jakarta": 5},
        },
    }
    for profile in found.values():
        profile.update({**_SNAP, **profile})
    legacy = {"name": _SNAP["name"], "source": "assumed"}
    found["bank-va"] = {
        **legacy,
        "dialect": "va-legacy",
        "prefix": "54321",
        "offices": {"mataram": 2},
        "calls": {**calls, "secret": "bank-va", "announce": True},
    }
    found["bank-qris"] = {
        **legacy,
        "dialect": "qris-legacy",
        "offices": ["bogor", "mataram"],
        "inquiry_path": "/qris/{invoice}",
        "calls": {**calls, "secret": "bank-qris"},
    }
    for name, proof in (("bank-teller", "header"), ("bank-atm", "basic")):
        found[name] = {
            **legacy,
            "dialect": "teller",
            "offices": ["bogor"],
            "proof": proof,
            "secrets": ["bank-teller"],
        }
    return found


def prepared(folder: Path, bank: BankServer, **changes: Any) -> Settings:
    """Return settings with the test's own bank profiles, secrets and keys."""
    config = folder / "config"
    shutil.copytree(DEPLOY, config, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    shutil.rmtree(config / "banks")
    (config / "banks").mkdir()
    given = profiles(bank, datetime.now(JAKARTA))
    served = {office for one in given.values() for office in one["offices"]}
    offices = {file.stem for file in (config / "offices").glob("*.yaml")}
    for count, office in enumerate(sorted(offices - served), 100):
        given["bank-snap"]["offices"][office] = count
    for name, profile in given.items():
        text = yaml.safe_dump({"id": name, **profile})
        (config / "banks" / f"{name}.yaml").write_text(text, "utf-8")
    secrets = folder / "secrets"
    secrets.mkdir()
    for name in NAMES:
        (secrets / f"{name}.secret").write_text(SECRET)
    (secrets / "bank-old.secret").write_text(OLD_SECRET)
    named = {"data": folder, "config": config, "secrets": secrets, "port": 0}
    # Tests that capture the log want to see all of it.
    return Settings(**{**named, "sweep_seconds": 0.1, "log_level": "DEBUG", **changes})


@dataclass(frozen=True)
class Desk:
    """A running payment service, the bank's server, and the bank's key."""

    office: Office
    bank: BankServer
    key: RSAPrivateKey

    async def partner(self, name: str = "snap", **changes: Any) -> Partner:
        """Return a SNAP partner that holds a token, unless it signs with its key."""
        prefix = {"snap": "12345", "open": "777", "closed": "888"}[name]
        by_key = name == "open"
        given: dict[str, Any] = {
            "http": self.office.http,
            "key": self.key,
            "secret": SECRET,
            "client_id": name,
            "partner_id": name.upper(),
            "prefix": prefix,
            "encoding": "hex" if by_key else "base64",
            "by_key": by_key,
        }
        partner = Partner(**{**given, **changes})
        if not partner.by_key:
            answer = await partner.sign_in()
            assert answer["responseCode"] == "2007300", answer
        return partner

    async def bill(self, office: str = "bogor", number: str = "") -> Account:
        """Return an application whose fee of Rp240.000 was just assessed and billed."""
        account = Account(self, office, number or new_number(office))
        await account.assess()
        return account


@dataclass
class Account:
    """One application, its virtual account, and what its bank says about it."""

    desk: Desk
    office: str
    registration: str
    number: str = ""

    @property
    def application(self) -> str:
        """Its application's id."""
        return derived_id("case", self.registration)

    async def assess(self) -> None:
        """Assess its fee and wait for the bill."""
        fee = FeeAssessed(
            application_id=self.application,
            number=self.registration,
            office=self.office,
            permit_type="situ",
            permit_version=1,
            measures={"area_m2": 120},
        )
        http, office = self.desk.office.http, self.desk.office
        await office.happened(f"permit-{self.application}", fee, application=self.application)

        async def issued() -> str:
            found = await http.get(f"/api/bills/{self.registration}")
            return str(found.json()["virtual_account"]) if found.status_code == 200 else ""

        self.number = await until(issued, 30, what="the bill")

    def body(self, partner: Partner, **changes: Any) -> dict[str, Any]:
        """Return a payment as the standard has it; None takes a field away."""
        padded = partner.prefix.rjust(8)
        customer = self.number.removeprefix(partner.prefix)
        given: dict[str, Any] = {
            "partnerServiceId": padded,
            "customerNo": customer,
            "virtualAccountNo": padded + customer,
            "paymentRequestId": f"REQ-{self.registration}",
            "paidAmount": {"value": f"{AMOUNT}.00", "currency": "IDR"},
            "trxDateTime": datetime.now(JAKARTA).isoformat(timespec="seconds"),
            "referenceNo": digits(),
            "flagAdvise": "N",
        }
        return {name: value for name, value in (given | changes).items() if value is not None}

    async def pay(
        self, partner: Partner, external_id: str = "", **changes: Any
    ) -> Mapping[str, Any]:
        """Report a payment and return the answer; its status is held against its code."""
        answer = await partner.call("payment", self.body(partner, **changes), external_id)
        found: Mapping[str, Any] = answer.json()
        assert str(answer.status_code) == found["responseCode"][:3]
        return found

    async def ask(self, partner: Partner, service: str = "inquiry", **changes: Any) -> Any:
        """Inquire, or ask for the status; return the answer."""
        given = {"paymentRequestId": None, "inquiryRequestId": f"REQ-{self.registration}"}
        return (await partner.call(service, self.body(partner, **(given | changes)))).json()

    async def types(self) -> list[str]:
        """Return the types of the events of its bill, in order."""
        store = self.desk.office.running.kernel.store
        return [one.type for one in await store.read_stream(bill_stream(self.application))]

    async def state(self) -> Bill:
        """Return its bill's state."""
        handler = self.desk.office.running.kernel.handler
        return (await handler.load(DECIDER, bill_stream(self.application))).state

    async def until_has(self, kind: str, seconds: float = 20.0) -> None:
        """Wait for an event of its bill."""

        async def there() -> bool:
            return kind in await self.types()

        await until(there, seconds, what=kind)


def new_number(office: str = "bogor") -> str:
    """Return a registration number that nobody has."""
    return f"{office[:3].upper()}-2026-{next(_NUMBER):06d}"


@asynccontextmanager
async def open_desk(folder: Path, **changes: Any) -> AsyncIterator[Desk]:
    """Run a payment service with a bank of each dialect, and the bank's own server."""
    key, ours = await asyncio.gather(
        asyncio.to_thread(new_key, folder / "keys", "bank"),
        asyncio.to_thread(new_key, folder / "keys", "ours"),
    )
    async with serving(BankServer(ours.public_key(), SECRET)) as bank:
        settings = await asyncio.to_thread(lambda: prepared(folder, bank, **changes))
        async with running_office(settings, ["payment"]) as office:
            yield Desk(office, bank, key)


async def repair_at(desk: Desk, ahead: timedelta) -> None:
    """Go one round of talking to the banks as if it were later; the office is the running one."""
    running = desk.office.running
    kernel = replace(running.kernel, now=lambda: desk.office.running.kernel.now() + ahead)
    database = running.databases["payment"]
    banks = Banks.load(kernel.settings.config / "banks")
    built = parts.build(kernel, database, banks, BillViews(database))
    await built.repair.round()
