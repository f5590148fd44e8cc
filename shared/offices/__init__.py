"""Offices and permit types: versioned data files, validated when they are loaded.

A permit type's file has a common head and one section per service (``intake``, ``workflow``,
``payment``); each service reads its own section with its own model and no other's. A change is a
new version with the day from which it counts; a file that is wrong is refused with its line and
the reason, and stops nothing else.
"""

from shared.offices.catalogue import Catalogue
from shared.offices.duty import Duty, Shift
from shared.offices.files import load_yaml, section, validated
from shared.offices.mistakes import BadFile, Mistake
from shared.offices.models import (
    Agency,
    AuthorityRule,
    Channel,
    Condition,
    Identifier,
    JointLeave,
    Ladder,
    Level,
    LocalText,
    Office,
    PermitType,
    Promise,
)
from shared.offices.origin import Origin, Place, read_data
from shared.offices.strict import FileModel, QuietSpan

__all__ = [
    "Agency",
    "AuthorityRule",
    "BadFile",
    "Catalogue",
    "Channel",
    "Condition",
    "Duty",
    "FileModel",
    "Identifier",
    "JointLeave",
    "Ladder",
    "Level",
    "LocalText",
    "Mistake",
    "Office",
    "Origin",
    "PermitType",
    "Place",
    "Promise",
    "QuietSpan",
    "Shift",
    "load_yaml",
    "read_data",
    "section",
    "validated",
]
