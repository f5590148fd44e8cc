"""Taking files in: whole or not at all, once, and exactly where it was left."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from services.payment.settlement.file import DECIDER, Accepted, Taking, file_stream, settlement_id
from services.payment.settlement.keeping import EmptyFile, Files, Slip, shown_name
from services.payment.settlement.refusals import NoFiles
from services.payment.settlement.taking_in import LINES_TOGETHER, Intake
from shared.errors import Unavailable
from shared.events import NewEvent, Recorded
from shared.handle import Handler
from shared.store.sqlite import SqliteStore
from tests.running import until
from tests.unit.payment.settlement.bank_file import (
    Row,
    csv_file,
    layout,
)
from tests.unit.payment.settlement.house import (
    BANK,
    CODEC,
    House,
    open_house,
    partners,
)

MANY = [Row(1_000 + number, f"N{number}") for number in range(LINES_TOGETHER * 7 + 3)]


class ProcessDied(BaseException):
    """Nothing catches it: as after kill -9, nobody tidies up."""


class DyingStore(SqliteStore):
    """A real store whose process dies before its ``left``-th append from now."""

    left: int = -1

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected: int = -1
    ) -> list[Recorded]:
        """Append, or die."""
        if self.left == 0:
            raise ProcessDied
        self.left -= 1
        return await super().append(stream, events, expected)


async def test_the_same_file_twice_adds_nothing(house: House) -> None:
    first = await house.settlement(MANY)
    head = await house.store.head()
    again = await house.settlement(MANY)
    assert (first.state, again.state) == ("accepted", "accepted")
    assert (first.repeated, again.repeated) == (False, True)
    assert await house.store.head() == head
    recorded = await house.events("SettlementLinesRecorded")
    lines = [line.line for part in recorded for line in part.lines]
    assert sorted(lines) == list(range(1, len(MANY) + 1))


async def test_a_file_that_does_not_balance_records_nothing_but_why(house: House) -> None:
    content = csv_file(MANY[:5]).replace(b"Rp 1.002,00", b"Rp 9.002,00")
    taken = await house.bring(content)
    assert (taken.state, taken.reason) == ("rejected", "total")
    again = await house.bring(content)
    assert again.repeated
    (rejected,) = await house.events("SettlementFileRejected")
    assert rejected.reason == "total"
    assert await house.store.head() == 1


@pytest.mark.parametrize("dies_at", [0, 1, 2, 5, 8, 9])
async def test_a_process_that_dies_in_the_middle_is_followed_by_one_that_goes_on(
    dies_at: int, tmp_path: Path
) -> None:
    async with open_house(tmp_path) as house:
        slip = await house.kept(csv_file(MANY))
        identity = settlement_id(BANK, slip.sha256)
        store = DyingStore(tmp_path / "events.sqlite")
        store.left = dies_at
        first = Intake(Handler(store, CODEC), house.files, partners(layout()), house.now)
        with pytest.raises(ProcessDied):
            await first.take_in(slip)
        await asyncio.sleep(0)
        await store.close()
        await house.settle()
        # Half a file counts for nothing.
        assert await house.views.lines(partner=BANK) == []
        left = await house.handler.load(DECIDER, file_stream(identity))
        assert isinstance(left.state, Taking) == (dies_at > 0)
        taken = await house.intake.take_in(slip)
        assert taken.state == "accepted"
        recorded = await house.events("SettlementLinesRecorded")
        lines = [(line.line, line.amount) for part in recorded for line in part.lines]
        assert sorted(lines) == [(at, row.amount) for at, row in enumerate(MANY, 1)]
        assert len(await house.events("SettlementFileAccepted")) == 1


async def test_what_was_brought_is_taken_in_by_whoever_starts_next(house: House) -> None:
    slip = await house.kept(csv_file(MANY[:3]))
    identity = house.intake.submit(slip)

    async def none_waits() -> bool:
        return not list(house.files.waiting())

    task = asyncio.create_task(house.intake.run())
    try:
        await until(none_waits)
    finally:
        task.cancel()
    state = (await house.handler.load(DECIDER, file_stream(identity))).state
    assert isinstance(state, Accepted)


async def test_a_partner_without_settlement_is_refused(house: House) -> None:
    with pytest.raises(NoFiles):
        house.intake.submit(Slip("another-bank", "00", "x", "bendahara"))


async def test_parts_that_read_differently_now_refuse_the_file(house: House) -> None:
    """The profile was changed between two tries: what was recorded first can't be trusted."""
    content = csv_file(MANY)
    slip = await house.kept(content)
    store = DyingStore(house.folder / "events.sqlite")
    store.left = 3
    with pytest.raises(ProcessDied):
        await Intake(Handler(store, CODEC), house.files, partners(layout()), house.now).take_in(
            slip
        )
    await asyncio.sleep(0)
    await store.close()
    columns = {**layout().model_dump()["file"]["columns"], "reference": ""}
    changed = partners(layout(file={**layout().model_dump()["file"], "columns": columns}))
    taken = await Intake(house.handler, house.files, changed, house.now).take_in(slip)
    assert (taken.state, taken.reason) == ("rejected", "changed")


async def test_an_empty_file_is_refused(house: House) -> None:
    with pytest.raises(EmptyFile):
        await house.kept(b"")


async def test_a_file_is_kept_once_under_its_hash(tmp_path: Path) -> None:
    files = Files(tmp_path / "kept")
    source = tmp_path / "bank.csv"
    source.write_bytes(b"something")
    first, second = await files.keep_file(source), await files.keep_file(source)
    assert first == second
    assert files.path(first).read_bytes() == b"something"
    assert [one for one in (tmp_path / "kept").rglob("*") if one.is_file()] == [files.path(first)]


async def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file where the folder should be")
    source = tmp_path / "bank.csv"
    source.write_bytes(b"something")
    with pytest.raises(Unavailable):
        await Files(tmp_path / "kept").keep_file(source)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("BANK-2026.csv", "BANK-2026.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\bank\\file.csv", "file.csv"),
        ("a\u202egpj.csv", "settlement"),
        ("", "settlement"),
    ],
)
def test_a_name_is_only_shown(name: str, shown: str) -> None:
    assert shown_name(name) == shown
