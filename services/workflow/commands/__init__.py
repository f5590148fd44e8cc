"""What can be asked of a permit. Everything a decision needs comes with the command.

``sop`` is the procedure that the permit started with; ``stage`` names the stage that the person
saw, so that a repeated or skipped step is recognised; ``scans`` are the applicant's documents as
intake holds them now. ``today`` is the office's own date.
"""

from __future__ import annotations

from typing import TypeAlias

from services.workflow.commands.base import (
    Scan,
)
from services.workflow.commands.later import (
    AnnounceRevocation,
    AnswerComplaint,
    FileComplaint,
    LiftRevocation,
)
from services.workflow.commands.officers import (
    AssessFee,
    CompleteStage,
    ExplainStall,
    GiveRecommendation,
    HandOver,
    MatchOriginal,
    MismatchOriginal,
    ReassignStage,
    RejectPermit,
    ReportSurvey,
    ReturnPermit,
    ScheduleSurvey,
    SignPermit,
    SkipSurvey,
)
from services.workflow.commands.system import (
    NudgePermit,
    OpenPermit,
    RejectOpening,
    RejectRenewal,
    RejectSettlement,
    RejectStallReply,
    RejectWithdrawal,
    RenewPermit,
    ResumePermit,
    SettleFee,
    UnsettleFee,
    WithdrawPermit,
)

StageCommand: TypeAlias = (
    CompleteStage
    | ScheduleSurvey
    | ReportSurvey
    | SkipSurvey
    | GiveRecommendation
    | MatchOriginal
    | MismatchOriginal
    | AssessFee
    | SignPermit
    | HandOver
    | ReturnPermit
)
LaterCommand: TypeAlias = FileComplaint | AnswerComplaint | AnnounceRevocation | LiftRevocation
SystemCommand: TypeAlias = (
    OpenPermit
    | ResumePermit
    | WithdrawPermit
    | SettleFee
    | UnsettleFee
    | NudgePermit
    | RenewPermit
    | RejectOpening
    | RejectSettlement
    | RejectWithdrawal
    | RejectRenewal
    | RejectStallReply
)
Command: TypeAlias = (
    StageCommand | ReassignStage | RejectPermit | ExplainStall | LaterCommand | SystemCommand
)

__all__ = [
    "AnnounceRevocation",
    "AnswerComplaint",
    "AssessFee",
    "Command",
    "CompleteStage",
    "ExplainStall",
    "FileComplaint",
    "GiveRecommendation",
    "HandOver",
    "LaterCommand",
    "LiftRevocation",
    "MatchOriginal",
    "MismatchOriginal",
    "NudgePermit",
    "OpenPermit",
    "ReassignStage",
    "RejectOpening",
    "RejectPermit",
    "RejectRenewal",
    "RejectSettlement",
    "RejectStallReply",
    "RejectWithdrawal",
    "RenewPermit",
    "ReportSurvey",
    "ResumePermit",
    "ReturnPermit",
    "Scan",
    "ScheduleSurvey",
    "SettleFee",
    "SignPermit",
    "SkipSurvey",
    "StageCommand",
    "SystemCommand",
    "UnsettleFee",
    "WithdrawPermit",
]
