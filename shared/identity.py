"""Who may sign in: accounts, their roles and their office.

Local accounts come from a YAML file and hold argon2 hashes only. An OpenID Connect provider will
stand behind the same two methods of ``Accounts``: ``verify`` and ``find``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.actors import Actor, Role
from shared.offices.files import validated
from shared.offices.mistakes import BadFile, Mistake
from shared.offices.origin import Origin, read_data
from shared.phone import ContactNumber
from shared.text import bad_value, msg

_TWICE = msg("There is an account {name} already. Give this one another name.")

MAX_PASSWORD_LENGTH = 256

_HASHER = PasswordHasher()
# Verified when the account is unknown, so that both answers cost the same argon2 run. It is the
# hash of random bytes nobody kept.
_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$vRupoW7q+qTFu7hFdqFIOQ$"
    "arddAY0aCBuhIi6M+wdMXmz9MSZoav3Ajt0RSpaBiHk"
)


@dataclass(frozen=True, slots=True)
class Account:
    """A person who may sign in. ``phone`` (E.164) receives alerts; ``office`` is an office id.

    ``agency`` is the id of the technical agency (OPD) that an officer with that role works for.
    """

    username: str
    display_name: str
    roles: frozenset[Role]
    office: str
    phone: str | None = None
    agency: str = ""

    def has(self, *roles: Role) -> bool:
        """Say whether the account holds at least one of ``roles``."""
        return not self.roles.isdisjoint(roles)

    @property
    def actor(self) -> Actor:
        """The actor written into events: the account's name, never the person's."""
        return Actor("officer", self.username, self.office, self.roles, self.agency)


class _Entry(BaseModel):
    """One account in the file. An unknown key (such as a plain password) is an error."""

    model_config = ConfigDict(extra="forbid")

    username: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{1,63}$")]
    display_name: Annotated[str, Field(min_length=1, max_length=100)]
    roles: Annotated[frozenset[Role], Field(min_length=1)]
    office: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,63}$")]
    phone: ContactNumber | None = None
    agency: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,39}$")] | Literal[""] = ""
    password_hash: Annotated[str, Field(pattern=r"^\$argon2id\$")]

    @model_validator(mode="after")
    def _agency(self) -> _Entry:
        if (Role.AGENCY in self.roles) != bool(self.agency):
            raise bad_value("An agency and the role agency belong together.")
        return self


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    accounts: list[_Entry]


class Accounts:
    """The local accounts. Reading and verifying only; the files are edited by hand."""

    def __init__(self, entries: Iterable[tuple[Account, str]]) -> None:
        """``entries`` are accounts, each with its argon2 hash."""
        self._accounts: dict[str, Account] = {}
        self._hashes: dict[str, str] = {}
        for account, password_hash in entries:
            self._accounts[account.username] = account
            self._hashes[account.username] = password_hash

    @classmethod
    def load(cls, *paths: Path, refused: Callable[[BadFile], None] | None = None) -> Accounts:
        """Read accounts from YAML files, or from every ``*.yaml`` of folders.

        Raises BadFile naming file and line, for a wrong key, hash or a name used twice. With
        ``refused`` a file that is wrong goes there instead: its people can't sign in, and those of
        the other files can.
        """
        entries: dict[str, tuple[Account, str]] = {}
        for path in _files(paths):
            try:
                entries |= _read(path, entries)
            except BadFile as error:
                if refused is None:
                    raise
                refused(error)
        return cls(entries.values())

    def verify(self, username: str, password: str) -> Account | None:
        """Return the account when the password is right, else None, in about the same time.

        Costs one argon2 run (some 50 ms and 64 MiB): call it in a thread.
        """
        known = self._hashes.get(username)
        try:
            _HASHER.verify(known or _NOBODY, password[:MAX_PASSWORD_LENGTH])
        except (VerificationError, InvalidHashError):
            return None
        return self._accounts[username] if known else None

    def find(self, username: str) -> Account | None:
        """Return the account of a session, or None when it was removed since."""
        return self._accounts.get(username)

    def all(self) -> tuple[Account, ...]:
        """Return every account, in the order of the files."""
        return tuple(self._accounts.values())

    def of_office(self, office: str, *roles: Role) -> tuple[Account, ...]:
        """Return the accounts of an office that hold one of ``roles``, to alert or to list."""
        return tuple(a for a in self._accounts.values() if a.office == office and a.has(*roles))


def hash_password(password: str) -> str:
    """Return the argon2 hash to put into an accounts file."""
    return _HASHER.hash(password)


def _files(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(path.glob("*.yaml"))
        else:
            yield path


def _read(path: Path, known: Iterable[str]) -> dict[str, tuple[Account, str]]:
    """Return the accounts of one file by name. Raises BadFile.

    No mistake repeats what is written: it may be a password put in the wrong place.
    """
    content, origin = read_data(path)
    found: dict[str, tuple[Account, str]] = {}
    for index, entry in enumerate(validated(content, origin, _File).accounts):
        if entry.username in found or entry.username in known:
            raise BadFile([_twice(index, entry.username, origin)])
        account = Account(**entry.model_dump(exclude={"password_hash"}))
        found[entry.username] = (account, entry.password_hash)
    return found


def _twice(index: int, name: str, origin: Origin) -> Mistake:
    place = ("accounts", index, "username")
    return Mistake(origin.file, origin.line(place), place, _TWICE, {"name": name})
