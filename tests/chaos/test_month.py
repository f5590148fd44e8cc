"""A month of payments in small, in the ordinary suite; ``tests.chaos.month`` plays a large one."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.bank.faults import Fault
from deploy.bank.month import MONTH_FAULTS
from tests.chaos.month import run
from tests.chaos.month_checks import check, report

# With this seed every kind of fault comes at least twice, and a half file too.
PAYMENTS, SEED = 1_000, 9


@pytest.mark.timeout(600)
async def test_a_month_with_faults_balances_to_the_rupiah(tmp_path: Path) -> None:
    outcome = await run(tmp_path, PAYMENTS, SEED)
    print(report(outcome))
    assert len(outcome.month.payments) == PAYMENTS
    assert set(outcome.month.injected()) == {Fault.NONE, *MONTH_FAULTS}
    assert outcome.halves == 1
    check(outcome)
