"""Bills, callbacks and settlement lines: where each line and payment ends, and what is done."""

from __future__ import annotations

import pytest

from services.payment import bill
from services.payment.settlement.refusals import (
    LineMatchedOtherwise,
    LineNotWaiting,
)
from services.payment.suspense import Held
from services.payment.suspense import Reversed as SuspenseTakenBack
from tests.unit.payment.settlement.bank_file import (
    DAY,
    Row,
)
from tests.unit.payment.settlement.house import (
    BANK,
    House,
    account,
    application,
    later,
)


async def test_a_settled_callback_is_matched_and_the_bill_hears_of_it(house: House) -> None:
    await house.bill(1)
    await house.callback(1, "NTB1")
    taken = await house.settlement([Row(240_000, "NTB1", account(1))])
    await house.settle()
    assert taken.state == "accepted"
    assert await house.classes() == {"MATCHED": (1, 240_000)}
    (settled,) = await house.events("PaymentSettled")
    assert (settled.settlement_id, settled.line) == (taken.settlement_id, 1)
    assert settled.value_on == "2026-01-06"


async def test_callback_lost_present_in_the_settlement_file(house: House) -> None:
    await house.bill(1)
    await house.settlement([Row(240_000, "NTB1", account(1))])
    await house.settle()
    assert await house.classes() == {"SETTLED_NO_CALLBACK": (1, 240_000)}
    (paid,) = await house.events("PaymentReceived")
    assert (paid.source, paid.reference, paid.amount) == ("settlement", "NTB1", 240_000)
    assert isinstance(await house.state(1), bill.Paid)


async def test_a_callback_after_the_settlement_file_is_noted_and_the_line_matched(
    house: House,
) -> None:
    await house.bill(1)
    await house.settlement([Row(240_000, "NTB1", account(1))])
    await house.settle()
    await house.callback(1, "NTB1")
    await house.callback(1, "NTB1")
    await house.settle()
    assert await house.classes() == {"MATCHED": (1, 240_000)}
    (told,) = await house.events("PaymentReported")
    assert (told.source, told.request_id) == ("callback", "REQ-NTB1")
    assert len(await house.events("PaymentReceived")) == 1


async def test_callback_never_settled_by_t_plus_n(house: House) -> None:
    await house.bill(1)
    await house.callback(1, "NTB1")
    house.on(later(2))
    await house.settle()
    assert await house.classes() == {"AWAITING_SETTLEMENT": (1, 240_000)}
    house.on(later(3))
    await house.settle()
    assert await house.classes() == {"CALLBACK_NO_SETTLEMENT": (1, 240_000)}
    (disputed,) = await house.events("PaymentDisputed")
    assert disputed.reference == "NTB1"
    # It comes after all.
    await house.settlement([Row(240_000, "NTB1", account(1))])
    await house.settle()
    assert await house.classes() == {"MATCHED": (1, 240_000)}


async def test_under_or_over_payment_that_landed(house: House) -> None:
    await house.bill(1)
    await house.bill(2)
    await house.settlement([Row(200_000, "NTB1", account(1)), Row(250_000, "NTB2", account(2))])
    await house.settle()
    assert await house.classes() == {"AMOUNT_DIFF": (2, 450_000)}
    assert isinstance(await house.state(1), bill.Open)
    held = [case for case in (await house.cases()).values() if isinstance(case, Held)]
    assert sorted(case.case.opened.amount for case in held) == [200_000, 250_000]


async def test_settled_with_another_amount_than_reported(house: House) -> None:
    await house.bill(1)
    await house.callback(1, "NTB1")
    await house.settlement([Row(230_000, "NTB1", account(1))])
    await house.settle()
    assert await house.classes() == {"AMOUNT_DIFF": (1, 230_000)}
    (said,) = await house.events("PaymentContradicted")
    assert said.amount == 230_000
    assert await house.events("PaymentSettled") == []


async def test_after_expiry_if_settled(house: House) -> None:
    await house.bill(1)
    late = later(60)
    house.on(later(61))
    await house.settlement([Row(240_000, "NTB1", account(1), on=late)])
    await house.settle()
    assert await house.classes(late) == {"LATE": (1, 240_000)}
    (aside,) = await house.events("PaymentSetAside")
    assert aside.reason == "late"


async def test_second_payment_through_another_channel_if_settled(house: House) -> None:
    await house.bill(1)
    await house.callback(1, "NTB1")
    await house.settlement([Row(240_000, "NTB1", account(1)), Row(240_000, "NTB2", account(1))])
    await house.settle()
    assert await house.classes() == {"MATCHED": (1, 240_000), "DUPLICATE": (1, 240_000)}
    assert len(await house.events("DuplicatePaymentFound")) == 1
    (case,) = (await house.cases()).values()
    assert isinstance(case, Held)


async def test_money_without_a_bill_is_an_orphan_once_its_grace_has_passed(house: House) -> None:
    await house.settlement([Row(500_000, "NTB9", "99999999")])
    await house.settle()
    assert await house.classes() == {"PENDING": (1, 500_000)}
    house.on(later(3))
    await house.settle()
    assert await house.classes() == {"ORPHAN_CREDIT": (1, 500_000)}
    (opened,) = await house.events("SuspenseOpened")
    assert (opened.office, opened.amount, opened.reason) == ("bogor", 500_000, "orphan")


async def test_a_line_that_comes_before_its_bill_waits_for_it(house: House) -> None:
    await house.settlement([Row(240_000, "NTB1", account(1))])
    await house.settle()
    await house.bill(1)
    await house.settle()
    assert await house.classes() == {"SETTLED_NO_CALLBACK": (1, 240_000)}


async def test_reversal(house: House) -> None:
    await house.bill(1)
    await house.callback(1, "NTB1")
    await house.settlement([Row(240_000, "NTB1", account(1))])
    await house.settle()
    house.on(later(2))
    await house.settlement([Row(-240_000, "REV1", account(1), reverses="NTB1", on=later(1))], "2")
    await house.settle()
    assert await house.classes() == {"REVERSED": (1, 240_000)}
    assert await house.classes(later(1)) == {"REVERSED": (1, -240_000)}
    (back,) = await house.events("PaymentReversed")
    assert back.reference == "NTB1"
    assert isinstance(await house.state(1), bill.Open)


async def test_a_reversal_and_its_credit_in_one_file_pay_nothing(house: House) -> None:
    await house.bill(1)
    rows = [Row(240_000, "NTB1", account(1)), Row(-240_000, "NTB1", reverses="NTB1")]
    await house.settlement(rows)
    await house.settle()
    assert await house.classes() == {"REVERSED": (2, 0)}
    # The callback that comes now is told of a payment that was taken back.
    await house.callback(1, "NTB1")
    await house.settle()
    assert isinstance(await house.state(1), bill.Open)
    assert await house.events("PaymentReceived") == []


async def test_an_orphan_that_is_taken_back_leaves_suspense(house: House) -> None:
    await house.settlement([Row(500_000, "NTB9")])
    house.on(later(3))
    await house.settle()
    await house.settlement([Row(-500_000, "R9", reverses="NTB9", on=later(2))], "2")
    await house.settle()
    assert await house.classes() == {"REVERSED": (1, 500_000)}
    (case,) = (await house.cases()).values()
    assert isinstance(case, SuspenseTakenBack)


async def test_a_debit_that_takes_back_nothing_known_waits_for_a_person(house: House) -> None:
    await house.settlement([Row(-7_500, "FEE1")], opening=10_000)
    house.on(later(9))
    await house.settle()
    assert await house.classes() == {"PENDING": (1, -7_500)}
    (line,) = await house.views.lines(partner=BANK)
    assert line.why == "no-original"


async def test_near_midnight_posting(own_numbers: House) -> None:
    house = own_numbers
    await house.bill(1)
    await house.callback(1, "NTB1", hour=23)
    await house.settlement([Row(240_000, "J1", account(1), on=later(1))])
    house.on(later(2))
    await house.settle()
    assert await house.classes(later(1)) == {"PENDING": (1, 240_000)}
    house.on(later(3))
    await house.settle()
    assert await house.classes(later(1)) == {"MATCHED": (1, 240_000)}
    assert await house.events("PaymentDisputed") == []


async def test_two_days_apart_is_another_payment(own_numbers: House) -> None:
    house = own_numbers
    await house.bill(1)
    await house.callback(1, "NTB1")
    await house.settlement([Row(240_000, "J1", account(1), on=later(2))])
    house.on(later(6))
    await house.settle()
    assert await house.classes() == {"CALLBACK_NO_SETTLEMENT": (1, 240_000)}
    assert await house.classes(later(2)) == {"DUPLICATE": (1, 240_000)}


async def test_a_credit_for_a_whole_day_settles_its_payments(own_numbers: House) -> None:
    house = own_numbers
    for number in range(1, 4):
        await house.bill(number, number * 100_000)
        await house.callback(number, f"NTB{number}", number * 100_000)
    await house.settlement([Row(600_000, "BATCH", on=later(1))])
    house.on(later(3))
    await house.settle()
    assert await house.classes(later(1)) == {"MATCHED": (1, 600_000)}
    assert await house.classes() == {}
    assert len(await house.events("PaymentSettled")) == 3


async def test_ambiguous_goes_to_a_person_never_guessed(own_numbers: House) -> None:
    house = own_numbers
    for number, on in ((1, DAY), (2, later(1))):
        await house.bill(number, 100_000)
        await house.callback(number, f"NTB{number}", 100_000, on)
    taken = await house.settlement([Row(100_000, "BATCH", on=later(1))])
    house.on(later(3))
    await house.settle()
    assert await house.classes(later(1)) == {
        "PENDING": (1, 100_000),
        "AWAITING_SETTLEMENT": (1, 100_000),
    }
    (line,) = await house.views.lines(partner=BANK)
    assert line.why == "ambiguous"
    assert len(await house.views.candidates(line)) == 2
    await house.match(taken.settlement_id, 1, 2, "NTB2")
    await house.settle()
    assert await house.classes(later(1)) == {"MATCHED": (1, 100_000)}
    (settled,) = await house.events("PaymentSettled")
    assert settled.application_id == application(2)
    # Twice the same is nothing new; another payment, or a line that found its place, is refused.
    before = await house.store.head()
    await house.match(taken.settlement_id, 1, 2, "NTB2")
    assert await house.store.head() == before
    with pytest.raises(LineMatchedOtherwise):
        await house.match(taken.settlement_id, 1, 1, "NTB1")


async def test_two_payments_and_one_line_are_not_guessed(own_numbers: House) -> None:
    house = own_numbers
    await house.bill(1)
    await house.callback(1, "NTB1")
    await house.callback(1, "NTB2")
    taken = await house.settlement([Row(240_000, "J1", account(1))])
    house.on(later(9))
    await house.settle()
    assert (await house.classes())["PENDING"] == (1, 240_000)
    await house.settlement([Row(240_000, "J2", account(1))], "2")
    await house.settle()
    assert await house.classes() == {"MATCHED": (1, 240_000), "DUPLICATE": (1, 240_000)}
    with pytest.raises(LineNotWaiting):
        await house.match(taken.settlement_id, 1, 1, "NTB1")


async def test_files_that_overlap_bring_no_money_twice(house: House) -> None:
    await house.bill(1)
    await house.callback(1, "NTB1")
    await house.settlement([Row(240_000, "NTB1", account(1))])
    await house.settlement([Row(240_000, "NTB1", account(1))], "2")
    house.on(later(9))
    await house.settle()
    assert await house.classes() == {"MATCHED": (1, 240_000), "PENDING": (1, 240_000)}
    assert await house.cases() == {}
    assert len(await house.events("PaymentSettled")) == 1


async def test_money_nobody_reported_can_be_given_to_a_bill_by_hand(house: House) -> None:
    await house.bill(1)
    taken = await house.settlement([Row(240_000)])
    await house.settle()
    await house.match(taken.settlement_id, 1, 1)
    await house.settle()
    assert await house.classes() == {"SETTLED_NO_CALLBACK": (1, 240_000)}
    assert isinstance(await house.state(1), bill.Paid)
