"""A small office and its procedures, for the tests of this room."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.workflow import commands as c
from services.workflow.sop import Sop, prepare
from shared.actors import APPLICANT, Actor, Role, system
from shared.calendar import WorkCalendar
from shared.offices import Catalogue, Ladder, LocalText, Office, PermitType

ZONE = ZoneInfo("Asia/Jakarta")
APP = "0a5f3c4e-0000-5000-8000-000000000001"
NUMBER = "CTH-2026-000001"
TODAY = date(2026, 1, 5)
# A Monday, when the office opens.
NOW = datetime(2026, 1, 5, 8, 0, tzinfo=ZONE).astimezone(UTC)
SYSTEM = system("workflow")
DAY = 480


def text(word: str) -> LocalText:
    return LocalText(id=word, en=word)


def _agency(agency_id: str, *, ready: bool) -> dict[str, Any]:
    return {"id": agency_id, "name": {"id": agency_id, "en": agency_id}, "ready": ready}


AGENCIES = (_agency("dinas", ready=True), _agency("belum", ready=False))
NOT_READY = tuple(agency | {"ready": False} for agency in AGENCIES)


def office(**changes: Any) -> Office:
    """Return an office that works 8 to 16 from Monday to Friday."""
    days = ("mon", "tue", "wed", "thu", "fri")
    values: dict[str, Any] = {
        "id": "contoh",
        "version": 1,
        "effective": date(2026, 1, 1),
        "code": "CTH",
        "name": text("Kantor contoh"),
        "address": "Jl. Contoh",
        "zone": "Asia/Jakarta",
        "hours": dict.fromkeys(days, ("08:00-16:00",)),
        "day_minutes": DAY,
        "holidays": "ID",
        "permit_types": ("izin", "gratis", "opd"),
        "ladder": {"answer_minutes": 120},
        "agencies": AGENCIES,
        "source": "assumed",
    }
    return Office.model_validate(values | changes)


def stage(stage_id: str, kind: str, role: str | None = None, **more: Any) -> dict[str, Any]:
    entry = {"id": stage_id, "kind": kind, "name": {"id": stage_id, "en": stage_id}, **more}
    return entry | ({"role": role} if role else {})


AREA = {"id": "area_m2", "label": {"id": "Luas", "en": "Area"}, "min": 1, "max": 1000}
PAID = (
    stage("verify", "verify", "verifier", days=1),
    stage("survey", "survey", "surveyor", days=2, survey="optional"),
    stage("assess", "assess_fee", "assessor", hours=4, measures=[AREA]),
    stage("pay", "await_payment"),
    stage("sign", "sign", "signer", days=1),
    stage("hand", "hand_over", "counter"),
)
FREE = (
    stage("verify", "verify", "verifier", days=1),
    stage("look", "survey", "surveyor", survey="never"),
    stage("sign", "sign", "signer"),
)


# Every kind of stage that the paid procedure has not: an agency that works by itself, one that the
# counter stands in for, originals after the signature.
OPD = (
    stage("health", "recommend", agency="dinas", days=1),
    stage("traffic", "recommend", agency="belum"),
    stage("entry", "data_entry", "verifier"),
    stage("sign", "sign", "signer", days=1),
    stage("match", "match_originals", "counter"),
    stage("hand", "hand_over", "counter"),
)

# A survey that can't be skipped, a review, and nothing to collect.
REVIEWED = (
    stage("look", "survey", "surveyor", days=2, survey="required"),
    stage("check", "review", "verifier", days=1),
    stage("sign", "sign", "signer", days=1),
)


def permit_type(
    *stages: dict[str, Any], name: str = "izin", days: int = 5, **more: Any
) -> PermitType:
    return PermitType.model_validate(
        {
            "id": name,
            "version": 1,
            "effective": date(2026, 1, 1),
            "name": {"id": name, "en": name},
            "promise": {"working_days": days, "cost": {"id": "-", "en": "-"}},
            "source": "assumed",
            "intake": {},
            "workflow": {"stages": list(stages), **more},
            "payment": {},
        }
    )


def catalogue() -> Catalogue:
    """Return an office with a paid permit type, a free one, and one with agencies."""
    kinds = (
        permit_type(*PAID),
        permit_type(*FREE, name="gratis", days=3),
        permit_type(*OPD, name="opd", validity={"years": 5}),
    )
    return Catalogue([office()], kinds)


SOP: Sop = prepare(permit_type(*PAID), office())
OPD_SOP: Sop = prepare(permit_type(*OPD, validity={"years": 5}), office())
REVIEWED_SOP: Sop = prepare(permit_type(*REVIEWED), office())
FREE_SOP: Sop = prepare(permit_type(*FREE, name="gratis", days=3), office())
FOREIGN_SOP: Sop = prepare(permit_type(stage("t02", "foreign"), stage("t03", "foreign")), office())
CALENDAR = WorkCalendar.of(office())
LADDER: Ladder = office().ladder


def officer(*roles: Role, office: str = "contoh", name: str = "petugas") -> Actor:
    return Actor("officer", name, office, frozenset(roles))


ALL_ROLES = replace(officer(*Role), agency="dinas")
DINAS = replace(officer(Role.AGENCY, name="dinas"), agency="dinas")
SITI = officer(Role.VERIFIER, name="siti")
SCANS = tuple(c.Scan(requirement=name, sha256=name * 8) for name in ("ktp", "denah"))


def local(day: int, hour: int, minute: int = 0) -> datetime:
    """Return an instant of January 2026 on the office's clock."""
    return datetime(2026, 1, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


def minutes(amount: float) -> timedelta:
    return timedelta(minutes=amount)


def opening(sop: Sop = SOP, **changes: Any) -> c.OpenPermit:
    values: dict[str, Any] = {
        "now": NOW,
        "by": SYSTEM,
        "sop": sop,
        "application_id": APP,
        "number": NUMBER,
        "office": "contoh",
        "permit_type": sop.permit_type,
        "permit_version": sop.version,
    }
    return c.OpenPermit(**(values | changes))


def give(command: type[Any], **changes: Any) -> Any:
    """Return a valid command of the paid procedure; ``changes`` replace its fields."""
    fields: dict[type[Any], dict[str, Any]] = {
        c.CompleteStage: {"stage": "verify", "note": "Lengkap"},
        c.ScheduleSurvey: {"stage": "survey", "on": date(2026, 1, 7), "today": TODAY},
        c.ReportSurvey: {"stage": "survey", "report": "Sesuai", "recommended": True},
        c.SkipSurvey: {"stage": "survey", "reason": "Lokasi sudah dikenal"},
        c.AssessFee: {"stage": "assess", "measures": {"area_m2": 40}},
        c.GiveRecommendation: {
            "stage": "health",
            "recommended": True,
            "note": "Memenuhi syarat",
            "by": DINAS,
            "sop": OPD_SOP,
        },
        c.MatchOriginal: {"stage": "match", "requirement": "ktp", "sop": OPD_SOP, "scans": SCANS},
        c.MismatchOriginal: {
            "stage": "match",
            "requirement": "ktp",
            "reason": "Foto berbeda",
            "sop": OPD_SOP,
            "scans": SCANS,
        },
        c.ReassignStage: {"stage": "verify", "to": SITI, "reason": "Beban kerja"},
        c.SignPermit: {"stage": "sign", "document_number": "503/1", "today": TODAY},
        c.HandOver: {"stage": "hand", "receiver": "Pemohon Contoh", "proof": "KTP"},
        c.ReturnPermit: {"stage": "verify", "reason": "KTP buram"},
        c.RejectPermit: {"reason": "Tidak sesuai tata ruang"},
        c.ExplainStall: {"stall_id": "?", "explanation": "Petugas sakit"},
        c.AnswerComplaint: {"complaint_id": "keluhan-1", "answer": "Kami perbaiki"},
        c.AnnounceRevocation: {
            "reason": "Data palsu",
            "effective_on": date(2026, 2, 2),
            "today": TODAY,
        },
        c.LiftRevocation: {"reason": "Sudah diperbaiki"},
    }
    by = ALL_ROLES if command in fields else SYSTEM
    more: dict[type[Any], dict[str, Any]] = {
        c.SettleFee: {
            "bill_id": "bill-1",
            "amount": 80_000,
            "paid_at": "2026-01-06T10:00:00+07:00",
        },
        c.UnsettleFee: {"bill_id": "bill-1"},
        c.NudgePermit: {"calendar": CALENDAR, "ladder": LADDER},
        c.RejectOpening: {"application_id": APP, "reason": "bad-configuration"},
        c.RejectSettlement: {"application_id": APP, "bill_id": "bill-1", "reason": "why"},
        c.RejectWithdrawal: {"application_id": APP, "reason": "permit-already-issued"},
        c.RejectRenewal: {"application_id": APP, "renews": "CTH-2021-000001", "reason": "why"},
        c.RejectStallReply: {
            "application_id": APP,
            "stall_id": "?",
            "reply_id": "balasan-1",
            "reason": "unknown-stall",
        },
        c.RenewPermit: {"renewed_by": "CTH-2030-000001"},
        c.FileComplaint: {
            "complaint_id": "keluhan-1",
            "text": "Sudah dua minggu tidak ada kabar",
            "calendar": CALENDAR,
            "days": 5,
            "by": APPLICANT,
        },
    }
    without = {c.ResumePermit, c.WithdrawPermit}
    values = {"now": NOW, "by": by, **fields.get(command, {}), **more.get(command, {})}
    if "sop" in command.__dataclass_fields__:
        values.setdefault("sop", SOP)
    assert command in fields or command in more or command in without
    return command(**(values | changes))
