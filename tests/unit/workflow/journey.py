"""The facts of one permit's whole way through the paid procedure, and histories."""

from __future__ import annotations

from typing import Any

from services.workflow import commands as c
from services.workflow.deadlines import stall_id
from services.workflow.permit import DECIDER
from shared.contracts import workflow as e
from shared.events import Fact
from tests.spec import Given, given
from tests.unit.workflow.kit import APP, NOW, NUMBER, SCANS, give, local


def about(**more: Any) -> dict[str, Any]:
    return {"application_id": APP, **more}


def started(stage: str, role: str = "") -> e.StageStarted:
    return e.StageStarted(**about(stage=stage, role=role))


def done(stage: str, outcome: str = "done", note: str = "") -> e.StageCompleted:
    return e.StageCompleted(**about(stage=stage, outcome=outcome, note=note))


OPENED = e.PermitOpened(
    **about(number=NUMBER, office="contoh", permit_type="izin", permit_version=1)
)
ASSESSED = e.FeeAssessed(
    **about(
        number=NUMBER,
        office="contoh",
        permit_type="izin",
        permit_version=1,
        measures={"area_m2": 40},
    )
)
SETTLED = e.FeeSettled(
    **about(bill_id="bill-1", amount=80_000, paid_at="2026-01-06T10:00:00+07:00")
)
SKIPPED = e.SurveySkipped(**about(stage="survey", reason="Lokasi sudah dikenal"))
SCHEDULED = e.SurveyScheduled(**about(stage="survey", on="2026-01-07"))
RETURNED = e.PermitReturned(**about(stage="verify", reason="KTP buram"))
ISSUED = e.PermitIssued(**about(number=NUMBER, document_number="503/1"))
HANDED = e.PermitHandedOver(**about(receiver="Pemohon Contoh", proof="KTP"))
REJECTED = e.PermitRejected(**about(reason="Tidak sesuai tata ruang"))

# The whole journey of the paid procedure, one list per command.
OPENING = [OPENED, started("verify", "verifier")]
VERIFIED = [done("verify", note="Lengkap"), started("survey", "surveyor")]
SURVEYED = [SKIPPED, done("survey", "skipped"), started("assess", "assessor")]
FEE = [ASSESSED, done("assess", "assessed"), started("pay")]
PAYMENT = [SETTLED, done("pay", "paid"), started("sign", "signer")]
SIGNING = [done("sign", "signed"), ISSUED, started("hand", "counter")]
HAND_OVER = [done("hand", "handed-over"), HANDED]
STEPS = (OPENING, VERIFIED, SURVEYED, FEE, PAYMENT, SIGNING, HAND_OVER)
AT = ("verify", "survey", "assess", "pay", "sign", "hand", "closed")


def at(place: str) -> list[Any]:
    """Return the history that leads to a stage (or ``closed``) of the paid procedure."""
    return [event for step in STEPS[: AT.index(place) + 1] for event in step]


def stalled(place: str = "verify") -> list[Any]:
    due = local(5, 16)
    number = stall_id(APP, "verify", due.isoformat())
    alert = about(office="contoh", stage="verify")
    return [
        *at(place),
        e.StageOverdue(**alert, due_at=due.isoformat()),
        e.StallExplanationRequested(
            **alert,
            stall_id=number,
            asked="verifier",
            answer_by=local(6, 10).isoformat(),
        ),
    ]


def at_time(events: list[Any]) -> list[Any]:
    """Let everything happen when the office opens on the first day."""
    return [Fact(event, NOW, "system") for event in events]


def history(*events: Any) -> Given[Any]:
    return given(DECIDER, *at_time(list(events)))


STALL = stall_id(APP, "verify", local(5, 16).isoformat())
EXPLAINED = e.StallExplained(
    **about(stage="verify", stall_id=STALL, explanation="Petugas sakit", promised="")
)
UNSETTLED = e.FeeUnsettled(**about(bill_id="bill-1"))

COMPLAINED = e.ComplaintFiled(
    **about(
        office="contoh",
        complaint_id="keluhan-1",
        text="Sudah dua minggu tidak ada kabar",
        answer_by=local(9, 16).isoformat(),
    )
)
ANSWERED = e.ComplaintAnswered(**about(complaint_id="keluhan-1", answer="Kami perbaiki"))
ANNOUNCED = e.RevocationAnnounced(
    **about(office="contoh", reason="Data palsu", effective_on="2026-02-02")
)
LIFTED = e.RevocationLifted(**about(reason="Sudah diperbaiki"))
REVOKED = e.PermitRevoked(**about(office="contoh", reason="Data palsu"))
EXPIRED = e.PermitExpired(**about(office="contoh", number=NUMBER, valid_until="2031-01-05"))
RENEWED = e.PermitRenewed(**about(renewed_by="CTH-2030-000001"))
ASSIGNED = e.StageReassigned(**about(stage="verify", assignee="siti", reason="Beban kerja"))

# The journey of the procedure with agencies and originals.
RECOMMENDED = e.RecommendationGiven(
    **about(stage="health", agency="dinas", recommended=True, note="Memenuhi syarat")
)
ON_BEHALF = e.RecommendationGiven(
    **about(
        stage="traffic",
        agency="belum",
        recommended=False,
        note="Jalan sempit",
        on_behalf=True,
        letter="551/7",
    )
)
MATCHED = [
    e.OriginalMatched(**about(stage="match", requirement=scan.requirement, sha256=scan.sha256))
    for scan in SCANS
]
MISMATCHED = e.OriginalMismatched(
    **about(stage="match", requirement="ktp", sha256=SCANS[0].sha256, reason="Foto berbeda")
)
OPD_ISSUED = e.PermitIssued(
    **about(number=NUMBER, document_number="503/1", valid_until="2031-01-05")
)
OPD_OPENING = [OPENED, started("health", "agency")]
HEALTH = [RECOMMENDED, done("health", "recommended"), started("traffic", "counter")]
TRAFFIC = [ON_BEHALF, done("traffic", "not-recommended"), started("entry", "verifier")]
ENTRY = [done("entry", note="Lengkap"), started("sign", "signer")]
OPD_SIGNING = [done("sign", "signed"), OPD_ISSUED, started("match", "counter")]
MATCHING = [*MATCHED, done("match", note="Lengkap"), started("hand", "counter")]
OPD_STEPS = (OPD_OPENING, HEALTH, TRAFFIC, ENTRY, OPD_SIGNING, MATCHING, HAND_OVER)
OPD_AT = ("health", "traffic", "entry", "sign", "match", "hand", "closed")


def opd(place: str) -> list[Any]:
    """Return the history that leads to a stage of the procedure with agencies."""
    return [event for step in OPD_STEPS[: OPD_AT.index(place) + 1] for event in step]


PLACES: dict[str, list[Any]] = {
    **{place: at(place) for place in AT},
    "scheduled": [*at("survey"), SCHEDULED],
    "returned": [*at("verify"), RETURNED],
    "unpaid": [*at("sign"), UNSETTLED],
    "rejected": [*at("verify"), REJECTED],
    "stalled": stalled(),
    "not opened": [],
    "assigned": [*at("verify"), ASSIGNED],
    "assigned and returned": [*at("verify"), ASSIGNED, RETURNED],
    "complained": [*at("verify"), COMPLAINED],
    "complained, then rejected": [*at("verify"), COMPLAINED, REJECTED],
    "revocation announced": [*at("hand"), ANNOUNCED],
    "revocation lifted": [*at("closed"), ANNOUNCED, LIFTED],
    "revoked": [*at("closed"), ANNOUNCED, REVOKED],
    "expired": [*at("hand"), EXPIRED],
    "renewed": [*at("closed"), RENEWED],
    "withdrawn": [*at("survey"), e.PermitWithdrawn(**about())],
}
OPD_PLACES: dict[str, list[Any]] = {
    **{place: opd(place) for place in OPD_AT},
    "agency given to one": [
        *opd("health"),
        e.StageReassigned(**about(stage="health", assignee="petugas", reason="-")),
    ],
    "one original matched": [*opd("match"), MATCHED[0]],
    "one original differs": [*opd("match"), MATCHED[1], MISMATCHED],
    "originals matched": [*opd("match"), *MATCHED],
    "another scan since": [
        *opd("match"),
        *MATCHED[:1],
        e.OriginalMatched(**about(stage="match", requirement="denah", sha256="lama")),
    ],
}

# The journey of the procedure with a required survey and a review.
LOOKED = e.SurveyReported(**about(stage="look", report="Sesuai", recommended=True))
LOOKING = [OPENED, started("look", "surveyor")]
PLANNED = [*LOOKING, e.SurveyScheduled(**about(stage="look", on="2026-01-07"))]
CHECKING = [*PLANNED, LOOKED, done("look", "recommended"), started("check", "verifier")]
CHECKED = [*CHECKING, done("check", note="Sesuai"), started("sign", "signer")]
REVIEWED_PLACES: dict[str, list[Any]] = {
    "look": LOOKING,
    "look planned": PLANNED,
    "check": CHECKING,
    "check returned": [*CHECKING, e.PermitReturned(**about(stage="check", reason="-"))],
    "check passed": CHECKED,
    "nothing to collect": [
        *CHECKED,
        done("sign", "signed"),
        e.PermitIssued(**about(number=NUMBER, document_number="503/1", collected=False)),
    ],
}


def nudge(now: Any) -> Any:
    return give(c.NudgePermit, now=now)
