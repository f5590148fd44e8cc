"""Bills and proofs of payment on paper: the PDF is read back."""

from __future__ import annotations

import asyncio
import io
from datetime import date

import pytest
from pypdf import PdfReader

from services.payment.bill import DECIDER, bill_stream
from services.payment.interest import months_after
from shared.contracts.workflow import FeeAssessed, PermitRejected
from tests.running import Office, until
from tests.unit.payment.bank_case import Case, assessed
from tests.unit.payment.samples import expire, issue_late, pay, take_back

pytestmark = pytest.mark.asyncio(loop_scope="module")
HTML = {"accept": "text/html"}


async def printed(office: Office, path: str) -> str:
    """Return the words of a letter, each once between single spaces."""
    answer = await office.http.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "no-store"
    reader = PdfReader(io.BytesIO(answer.content))
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


async def give(case: Case, *commands: object) -> None:
    kernel = case.office.running.kernel
    for command in commands:
        await kernel.handler.handle(
            DECIDER,
            bill_stream(case.application),
            command,  # type: ignore[arg-type]
            cause=f"{case.number}-{command!r}",
            application=case.application,
        )


def payment(case: Case, **changes: object) -> dict[str, object]:
    name = {"request_id": f"REQ-{case.number}", "reference": f"NTB-{case.number}"}
    return {**name, "paid_on": date(2000, 1, 1), **changes}


async def page(case: Case, text: str, lang: str = "id") -> str:
    async def shown() -> str:
        address = f"/tagihan/{case.number}?lang={lang}"
        answer = await case.office.http.get(address, headers=HTML)
        return answer.text if text in answer.text else ""

    return str(await until(shown, what=f"the page with {text}"))


async def test_the_bill_as_a_letter_says_what_it_is_for_and_how_to_pay(case: Case) -> None:
    words = await printed(case.office, f"/tagihan/{case.number}/surat/1.pdf?lang=id")
    for text in (
        "Surat Ketetapan Retribusi Daerah (SKRD)",
        "SKRD/" + case.number.replace("-", "/"),
        "Surat Izin Tempat Usaha (SITU)",
        "120 m² × Rp2.000",
        "Rp240.000",
        case.account,
        "1. Buka ATM",
        f"/tagihan/{case.number}",
    ):
        assert text in words
    english = await printed(case.office, f"/tagihan/{case.number}/surat/1.pdf?lang=en")
    assert "Fee per m²" in english
    assert "Fee bill (SKRD)" in english


async def test_every_step_of_a_formula_is_on_the_letter(office: Office) -> None:
    case = await assessed(office, await_bill=False)
    measures = {
        "area_m2": 120,
        "function_code": 2,
        "complexity_code": 1,
        "permanency_code": 2,
        "floors": 2,
        "ownership_code": 1,
        "work_code": 1,
    }
    fee = FeeAssessed(
        application_id=case.application,
        number=case.number,
        office="bogor",
        permit_type="imb",
        permit_version=1,
        measures=measures,
    )
    await office.happened(f"permit-{case.application}", fee, application=case.application)
    await page(case, "Rp634.950")
    words = await printed(office, f"/tagihan/{case.number}/surat/1.pdf?lang=id")
    for text in ("Fungsi: hunian lainnya", "0,21165", "Rp634.950", "Standar harga satuan"):
        assert text in words


async def test_the_letters_are_the_same_bytes_each_time(case: Case) -> None:
    path = f"/tagihan/{case.number}/surat/1.pdf"
    first, second = await asyncio.gather(case.office.http.get(path), case.office.http.get(path))
    assert first.content == second.content


@pytest.mark.parametrize(
    "path", ["surat/2.pdf", "surat/0.pdf", "bukti/1.pdf", "surat/x.pdf", "surat/99999999999.pdf"]
)
async def test_there_is_no_letter_of_what_is_not_there(case: Case, path: str) -> None:
    answer = await case.office.http.get(f"/tagihan/{case.number}/{path}", headers=HTML)
    assert answer.status_code in (404, 422)


async def test_a_payment_has_a_proof_until_the_bank_takes_it_back(case: Case) -> None:
    await give(case, pay(**payment(case)))
    await page(case, "Tanda bukti bayar (PDF)")
    proof = f"/tagihan/{case.number}/bukti/1.pdf?lang=id"
    words = await printed(case.office, proof)
    for text in (
        "Tanda Bukti Bayar",
        "TBP/" + case.number.replace("-", "/"),
        f"NTB-{case.number}",
        "120 m² × Rp2.000",
        "Bank Contoh",
    ):
        assert text in words
    assert "BATAL" not in words
    named = {name: value for name, value in payment(case).items() if name != "paid_on"}
    await give(case, take_back(**named))
    shown = await page(case, "Bank telah menarik kembali sebuah pembayaran.")
    assert "Menunggu pembayaran" in shown
    assert "BATAL: bank telah menarik kembali pembayaran ini." in await printed(case.office, proof)


async def test_a_late_bill_shows_its_interest_and_the_first_letter_is_void(case: Case) -> None:
    kernel = case.office.running.kernel
    (issued,) = await kernel.store.read_stream(bill_stream(case.application))
    first = kernel.codec.decode(issued)
    late = months_after(date.fromisoformat(first.due_on), 12)
    await give(
        case,
        expire(bill_id=first.bill_id, today=late),
        issue_late(bill_id=first.bill_id, today=late),
    )
    shown = await page(case, "Retribusi terlambat dengan bunga (STRD)")
    assert "12 × 1 % × Rp240.000" in shown
    assert "Rp268.800" in shown
    words = await printed(case.office, f"/tagihan/{case.number}/surat/2.pdf?lang=id")
    assert "Bunga keterlambatan" in words
    assert "STRD/" in words
    void = await printed(case.office, f"/tagihan/{case.number}/surat/1.pdf?lang=id")
    assert "TIDAK BERLAKU" in void


async def test_money_that_did_not_fit_is_on_the_page(case: Case) -> None:
    await give(case, pay(**payment(case, amount=100_000, landed=True)))
    shown = await page(case, "Rp100.000")
    assert "Jumlahnya kurang dari tagihan." in shown
    assert "Menunggu pembayaran" in shown


async def test_a_new_assessment_replaces_the_bill_and_its_account_stays(case: Case) -> None:
    fee = FeeAssessed(
        application_id=case.application,
        number=case.number,
        office="bogor",
        permit_type="situ",
        permit_version=1,
        measures={"area_m2": 100},
    )
    await case.office.happened(f"permit-{case.application}", fee, application=case.application)
    shown = await page(case, "Rp200.000")
    assert case.account in shown
    assert "Semua tagihan permohonan ini" in shown


async def test_a_cancelled_bill_says_so_on_paper(case: Case) -> None:
    ended = PermitRejected(application_id=case.application, reason="not allowed here")
    await case.office.happened(f"permit-{case.application}", ended, application=case.application)
    await page(case, "Dibatalkan")
    words = await printed(case.office, f"/tagihan/{case.number}/surat/1.pdf?lang=id")
    assert "DIBATALKAN" in words


async def test_the_letter_on_the_page_is_the_one_that_counts(case: Case) -> None:
    kernel = case.office.running.kernel
    (issued,) = await kernel.store.read_stream(bill_stream(case.application))
    first = kernel.codec.decode(issued)
    late = months_after(date.fromisoformat(first.due_on), 1)
    await give(
        case,
        expire(bill_id=first.bill_id, today=late),
        issue_late(bill_id=first.bill_id, today=late),
        pay(**payment(case)),
    )
    shown = await page(case, "Pembayaran sudah masuk")
    assert '/surat/1.pdf">Surat tagihan' in shown
