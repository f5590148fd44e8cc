"""Takes one settlement file in, in a process of its own: how fast, and how much memory it took.

``python -m tests.bench.settling FOLDER FORMAT LINES`` prints JSON: seconds, and the highest
resident memory in MB before and after. The file itself is written first and not counted.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from services.payment.banks.profile import Banks
from services.payment.settlement.keeping import Files, Slip
from services.payment.settlement.partners import Partners
from services.payment.settlement.taking_in import Intake
from shared.calendar import Calendars
from shared.codec import Codec
from shared.handle import Handler
from shared.offices import Catalogue
from shared.settings import Settings
from shared.store.sqlite import SqliteStore

# The sample banks, by the format of their files.
PARTNERS = {"csv": "bank-contoh", "mt940": "va-contoh"}
_AMOUNT = 240_000
_DAY = date(2026, 1, 6)
_AT_ONCE = 10_000


def csv_rows(lines: int) -> Iterator[str]:
    """Yield a CSV file as the sample bank writes it, some rows at a time."""
    total = f"{lines * _AMOUNT:,}".replace(",", ".")
    yield "Tanggal;NTB;No VA;Nominal;D/K;NTB Asal;Keterangan\nSALDO AWAL;;;Rp 0,00;;;\n"
    for start in range(0, lines, _AT_ONCE):
        yield "".join(
            f"{_DAY:%d/%m/%Y};NTB{at:012d};123450012{at:09d};Rp 240.000,00;K;;Setoran\n"
            for at in range(start, min(start + _AT_ONCE, lines))
        )
    yield f"JUMLAH;{lines};;Rp {total},00;;;\nSALDO AKHIR;;;Rp {total},00;;;\n"


def mt940_rows(lines: int) -> Iterator[str]:
    """Yield an MT940 statement as the sample bank writes it."""
    yield f":20:S\n:25:0012345678901\n:28C:6/1\n:60F:C{_DAY:%y%m%d}IDR0,00\n"
    for start in range(0, lines, _AT_ONCE):
        yield "".join(
            f":61:{_DAY:%y%m%d}{_DAY:%m%d}C240000,00NTRFNTB{at:012d}//B{at:09d}\n"
            f":86:SETORAN VA 123450012{at:09d}\n"
            for at in range(start, min(start + _AT_ONCE, lines))
        )
    yield f":62F:C{_DAY:%y%m%d}IDR{lines * _AMOUNT},00\n-\n"


def peak_mb() -> float:
    """Return the highest resident memory of this process so far, in MB.

    Of this program alone: ``getrusage`` would count the process that started it too.
    """
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


async def measure(folder: Path, kind: str, lines: int) -> dict[str, float]:
    """Write a file, take it in, and return what it took."""
    content = folder / f"bank.{kind}"
    with content.open("w") as file:
        file.writelines(csv_rows(lines) if kind == "csv" else mt940_rows(lines))
    config = Settings(data=folder).config
    partners = Partners.of(Banks.load(config / "banks"), Calendars(Catalogue.load(config)))
    store = SqliteStore(folder / "events.sqlite")
    try:
        files = Files(folder / "settlements")
        intake = Intake(Handler(store, Codec()), files, partners, lambda: datetime.now(UTC))
        before, began = peak_mb(), time.perf_counter()
        slip = Slip(PARTNERS[kind], await files.keep_file(content), content.name, "bench")
        taken = await intake.take_in(slip)
        seconds = time.perf_counter() - began
        assert (taken.state, taken.lines) == ("accepted", lines)
    finally:
        await store.close()
    return {"seconds": seconds, "before_mb": before, "after_mb": peak_mb()}


def main(given: list[str]) -> None:
    """Measure and print the figures as JSON."""
    folder, kind, lines = Path(given[0]), given[1], int(given[2])
    print(json.dumps(asyncio.run(measure(folder, kind, lines))))


if __name__ == "__main__":
    main(sys.argv[1:])
