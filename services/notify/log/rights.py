"""Who sees what of a message, and who may send it again: one table by role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, NamedTuple

from fastapi import Depends

from shared.actors import Role
from shared.identity import Account
from shared.web.session import require


class Right(NamedTuple):
    """``words``: what a message says; ``resend``: order it to be sent again.

    ``correct``: put the applicant's number right, which intake asks the counter for.
    """

    words: bool = False
    resend: bool = False
    correct: bool = False


RIGHTS: Final[Mapping[Role, Right]] = {
    Role.COUNTER: Right(words=True, resend=True, correct=True),
    Role.VERIFIER: Right(words=True),
    Role.SURVEYOR: Right(words=True),
    Role.ASSESSOR: Right(words=True),
    Role.SIGNER: Right(words=True),
    Role.SUPERVISOR: Right(words=True, resend=True),
    # That something was told, when and how it fared; not a person's affairs.
    Role.AUDITOR: Right(),
    Role.ADMIN: Right(resend=True),
}
"""Role -> right. Other roles open no page about messages; nobody sees a number whole."""

Reader = Annotated[Account, Depends(require(*RIGHTS))]
Resender = Annotated[
    Account, Depends(require(*(role for role, right in RIGHTS.items() if right.resend)))
]


def of(account: Account) -> Right:
    """Return what an account may, by any of its roles."""
    held = [RIGHTS[role] for role in account.roles if role in RIGHTS]
    return Right(*map(any, zip(*held, strict=True))) if held else Right()
