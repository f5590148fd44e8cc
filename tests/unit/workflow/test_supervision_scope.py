"""Who sees whose files: one's own office, and for leaders those below it."""

from __future__ import annotations

import pytest

from services.workflow.supervision.scope import offices_below, sees
from shared.actors import Role
from shared.identity import Account
from shared.offices import Catalogue
from tests.unit.workflow.kit import office

CATALOGUE = Catalogue(
    [
        office(id="provinsi", code="PRV", level="provinsi"),
        office(id="kota", code="KTA", level="kota", parent="provinsi"),
        office(id="kecamatan", code="KCM", level="kecamatan", parent="kota"),
        office(id="kelurahan", code="KLR", level="kelurahan", parent="kecamatan"),
        office(id="tetangga", code="TTG", level="kota", parent="provinsi"),
    ],
    (),
)


def account(place: str, *roles: Role) -> Account:
    return Account("petugas", "Petugas", frozenset(roles), place)


def test_a_leader_sees_down_and_never_up_or_sideways() -> None:
    assert offices_below(CATALOGUE, "provinsi") == (
        "provinsi",
        "kota",
        "tetangga",
        "kecamatan",
        "kelurahan",
    )
    assert offices_below(CATALOGUE, "kota") == ("kota", "kecamatan", "kelurahan")
    assert offices_below(CATALOGUE, "kelurahan") == ("kelurahan",)


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.SIGNER, Role.AUDITOR])
def test_leaders_look_into_the_offices_below(role: Role) -> None:
    assert sees(CATALOGUE, account("kota", role), "kelurahan")
    assert not sees(CATALOGUE, account("kota", role), "provinsi")
    assert not sees(CATALOGUE, account("kota", role), "tetangga")


def test_officers_see_their_own_office_alone() -> None:
    officer = account("kota", Role.COUNTER, Role.VERIFIER)
    assert sees(CATALOGUE, officer, "kota")
    assert not sees(CATALOGUE, officer, "kelurahan")
