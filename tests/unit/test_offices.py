"""Offices and permit types as files: versions by date, and what becomes of a file that is wrong."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from deploy.catalogue import load_catalogue
from deploy.checking import check, unknown_leave
from services.workflow.sop import Sops
from shared.calendar import Calendars
from shared.identity import Accounts
from shared.offices import BadFile, Catalogue, Level
from shared.settings import Settings
from shared.web.i18n import Translator

SHIPPED = Settings().config
JAKARTA = ZoneInfo("Asia/Jakarta")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped data that a test may spoil."""
    for name in ("offices", "permits", "holidays", "banks", "accounts"):
        shutil.copytree(SHIPPED / name, tmp_path / name)
    return tmp_path


def rewrite(file: Path, old: str, new: str, to: Path | None = None) -> None:
    """Replace text that must be there, in place or into a new file."""
    text = file.read_text()
    assert old in text
    (to or file).write_text(text.replace(old, new, 1))


def line_of(file: Path, word: str) -> int:
    """Return the line in which a word first stands."""
    return next(n for n, line in enumerate(file.read_text().splitlines(), 1) if word in line)


def test_the_shipped_data_has_no_mistake() -> None:
    assert [one.say(Translator("en")) for one in check(SHIPPED).mistakes] == []


# (file to spoil, its text, what is written instead, where the mistake is, sentence).
SPOILED = [
    (
        "permits/situ.yaml",
        "      role: surveyor\n",
        "      role: surveyor\n      next: verify\n",
        "- id: verify",
        ": verify → survey → verify.",
    ),
    (
        "permits/siup.yaml",
        "      days: 1\n      name: {id: Verifikasi",
        "      days: 1\n      next: sign\n      name: {id: Verifikasi",
        "- id: verify",
        "data-entry",
    ),
    (
        "permits/siup.yaml",
        "      days: 1\n",
        "      days: 0\n",
        "days: 0",
        "Tulis angka lebih dari 0.",
    ),
    (
        "permits/siup.yaml",
        "      role: verifier\n",
        "      role: verifikator\n",
        "role: verifikator",
        "Ini tidak dikenal di sini. Yang boleh: 'counter', 'verifier', 'surveyor',",
    ),
    (
        "holidays/2026.yaml",
        "day: 2026-12-24",
        "day: 2027-12-24",
        "country: ID",
        "Tanggal 2027-12-24 tidak berada di tahun 2026 berkas ini.",
    ),
    (
        "offices/bontang.yaml",
        "zone: Asia/Makassar",
        "zone: Asia/Bontang",
        "zone: Asia/Bontang",
        "Ini bukan zona waktu seperti Asia/Jakarta.",
    ),
    (
        "offices/bontang.yaml",
        '  fri: ["07:30-11:30", "13:00-16:30"]',
        '  fri: ["07:30-13:30", "13:00-16:30"]',
        "hours:",
        "Jam kerja fri bertumpang tindih.",
    ),
    (
        "offices/bontang.yaml",
        "holidays: ID",
        "holidays: XX",
        "holidays: XX",
        "Hari libur negara ini tidak dikenal. Tulis kode seperti ID.",
    ),
    (
        "offices/bontang.yaml",
        "code: BTG",
        "code: BLT",
        "code: BLT",
        "Kode BLT sudah dipakai kantor blitar: nomor pendaftaran akan tertukar.",
    ),
    (
        "offices/bontang.yaml",
        "ladder: {warn_percent: 80",
        "ladder: {warn_percent: 100",
        "ladder:",
        "Tulis 99 atau kurang.",
    ),
    (
        "offices/bontang.yaml",
        '  head: "+6281200000012"',
        '  head: "+62812TELEPON"',
        "  head:",
        "Tulis nomor dengan kode negaranya, seperti +6281234567890.",
    ),
    (
        "offices/bontang.yaml",
        '  head: "+6281200000012"',
        '  head: "+6281200000012/081200000013"',
        "  head:",
        "Tulis nomor dengan kode negaranya, seperti +6281234567890.",
    ),
    (
        "offices/bontang.yaml",
        '  head: "+6281200000012"',
        '  head: "+6254821234"',
        "  head:",
        "Ini bukan nomor ponsel. Tulis nomor lain, atau landlines: true.",
    ),
    (
        "offices/bontang.yaml",
        'source: "assumed"',
        'duty:\n  head:\n    people: [{who: "+6581234567"}]\nsource: "assumed"',
        "    people:",
        "Ini bukan nomor telepon Indonesia.",
    ),
    (
        "offices/bontang.yaml",
        'source: "assumed"',
        'duty:\n  verifier:\n    people: [{who: nobody, days: [mon]}]\nsource: "assumed"',
        "    people:",
        "Tidak ada akun nobody di kantor ini.",
    ),
    (
        "offices/bontang.yaml",
        'source: "assumed"',
        'duty:\n  verifier:\n    people: [{who: "+6254821234"}]\nsource: "assumed"',
        "    people:",
        "Ini bukan nomor ponsel.",
    ),
    (
        "offices/bontang.yaml",
        'source: "assumed"',
        'duty:\n  mayor:\n    people: []\nsource: "assumed"',
        "  mayor:",
        "Ini tidak dikenal di sini.",
    ),
    (
        "offices/bontang.yaml",
        'source: "assumed"',
        'duty:\n  head:\n    escalate_minutes: 0\nsource: "assumed"',
        "    escalate_minutes:",
        "Tulis angka lebih dari 0.",
    ),
    (
        "permits/imb.yaml",
        "  - level: kota\n",
        "",
        "id: imb",
        "Aturan kewenangan yang terakhir harus tanpa syarat.",
    ),
    (
        "permits/imb.yaml",
        "when: {field: area,",
        "when: {field: areal,",
        "when: {field: areal,",
        "Formulir tidak punya isian angka wajib areal",
    ),
    (
        "permits/tdp.yaml",
        "promise:\n",
        "promise:\n  working_days: 3\n",
        "working_days: 3\n  working_days",
        "working_days tertulis dua kali.",
    ),
    (
        "permits/tdp.yaml",
        "  - level: kota",
        "  - level: negara",
        "level: negara",
        "Yang boleh: 'kelurahan', 'kecamatan', 'kota', 'provinsi'.",
    ),
    (
        "permits/tdp.yaml",
        "name:\n  id: Tanda",
        "name:\n\tid: Tanda",
        "\tid: Tanda",
        "Berkas tidak dapat dibaca sebagai YAML di sini",
    ),
    (
        "permits/tdp.yaml",
        "effective: 2026-01-01",
        "effective: 2026-02-30",
        "effective: 2026-02-30",
        "Hari itu tidak ada. Tulis tanggal seperti 2026-01-31.",
    ),
    (
        "holidays/2026.yaml",
        "country: ID",
        "country: QQ",
        "country: QQ",
        "Hari libur negara ini tidak dikenal. Tulis kode seperti ID.",
    ),
    (
        "holidays/2026.yaml",
        "day: 2026-12-24",
        "day: 2026-02-16",
        "country: ID",
        "Tanggal 2026-02-16 tertulis dua kali.",
    ),
    (
        "offices/jakarta-selatan.yaml",
        "pilot: [siup-jakarta",
        "pilot: [siup-jkt",
        "pilot:",
        "Kantor ini tidak melayani izin siup-jkt, jadi izin itu tidak dapat masuk uji coba.",
    ),
    (
        "offices/bontang.yaml",
        "day_minutes: 450",
        "day_minutes: 900",
        "day_minutes: 900",
        "Hari kerja 900 menit lebih panjang daripada jam buka kantor pada hari apa pun: 450.",
    ),
    (
        "offices/bontang.yaml",
        '  mon: ["07:30-12:00"',
        '  mon: ["7.30-12.00"',
        "  mon:",
        "Tulis jam seperti 07:30-12:00.",
    ),
    (
        "offices/bontang.yaml",
        'supervisor: "+6281200000011"',
        'supervisor: "081200000011"',
        "  supervisor:",
        "Tulis nomor dengan kode negaranya, seperti +6281234567890.",
    ),
    (
        "accounts/bontang.yaml",
        "roles: [counter]",
        "roles: [penjaga]",
        "roles: [penjaga]",
        "Ini tidak dikenal di sini. Yang boleh: 'counter', 'verifier', 'surveyor',",
    ),
]


@pytest.mark.parametrize(("name", "old", "new", "at", "sentence"), SPOILED)
def test_a_bad_file_is_named_with_its_line_and_a_sentence_to_act_on(
    folder: Path, name: str, old: str, new: str, at: str, sentence: str
) -> None:
    file = folder / name
    rewrite(file, old, new)
    said = [one.say(Translator("id")) for one in check(folder).mistakes]
    assert any(sentence in one for one in said), said
    mistake = next(one for one in said if sentence in one)
    line = re.match(rf"{re.escape(file.name)}, baris (\d+): ", mistake)
    assert line is not None, mistake
    lines = file.read_text().splitlines()
    near = line_of(file, at.split("\n")[0])
    assert abs(int(line[1]) - near) <= 1 or "workflow" in mistake, (lines[int(line[1]) - 1], at)


def test_an_office_that_is_refused_is_named_once_whoever_works_there(folder: Path) -> None:
    rewrite(folder / "offices" / "bontang.yaml", "zone: Asia/Makassar", "zone: Asia/Bontang")
    said = [one.say(Translator("en")) for one in check(folder).mistakes]
    zone, accounts = said
    assert "time zone" in zone
    assert "There is no office bontang that can be used." in accounts
    assert "loket.bontang, verifikator.bontang" in accounts


def test_a_file_that_can_not_be_read_is_no_mistake_of_the_offices_that_name_it(
    folder: Path,
) -> None:
    rewrite(folder / "permits" / "siup.yaml", "effective: 2026-01-01", "effective: 2026-13-01")
    assert {one.file for one in check(folder).mistakes} == {"siup.yaml"}


def test_a_year_without_joint_leave_is_told_in_time_and_is_no_mistake() -> None:
    catalogue = Catalogue.load(SHIPPED)
    assert list(unknown_leave(catalogue, date(2026, 10, 31))) == []
    ((_, params),) = unknown_leave(catalogue, date(2026, 11, 2))
    assert params == {"country": "ID", "year": 2027}


def test_an_office_that_says_so_is_reached_by_landline(folder: Path) -> None:
    file = folder / "offices" / "bontang.yaml"
    rewrite(file, '  head: "+6281200000012"', '  head: "+6254821234"\nlandlines: true')
    found = check(folder)
    assert found.mistakes == ()
    assert found.catalogue.offices["bontang"].contacts["head"] == "+6254821234"


def test_an_accounts_number_that_is_none_is_named_with_its_line(folder: Path) -> None:
    file = folder / "accounts" / "bogor.yaml"
    rewrite(file, 'phone: "+6281100000002"', 'phone: "+6281100000002/3"')
    line = line_of(file, "+6281100000002/3")
    with pytest.raises(BadFile, match=f"line {line}: accounts.1.phone: Write the number"):
        Accounts.load(folder / "accounts")


def test_a_tariff_without_its_day_is_refused_with_file_and_line(folder: Path) -> None:
    file = folder / "permits" / "situ.yaml"
    text = file.read_text()
    tariff = text.index("payment:")
    spoiled = re.sub(r"(?m)^ +effective: .*\n", "", text[tariff:], count=1)
    assert spoiled != text[tariff:]
    file.write_text(text[:tariff] + spoiled)
    (said,) = (one.say(Translator("en")) for one in check(folder).mistakes)
    assert said.startswith("situ.yaml, line ")
    assert "effective" in said


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("version: 3", "effective: 2026-07-01", "has a version from 2026-07-01 on already"),
        ("version: 2", "effective: 2026-09-01", "has version 2 already"),
    ],
)
def test_two_versions_with_one_day_or_one_number_can_not_both_count(
    folder: Path, field: str, value: str, sentence: str
) -> None:
    second, third = folder / "permits" / "reklame.v2.yaml", folder / "permits" / "reklame.v3.yaml"
    rewrite(second, "version: 2", field, third)
    rewrite(third, "effective: 2026-07-01", value)
    (said,) = (one.say(Translator("en")) for one in check(folder).mistakes)
    assert "reklame.v3.yaml, line " in said
    assert sentence in said
    assert "reklame.v2.yaml" in said


def test_an_agency_that_the_office_does_not_have_is_named(folder: Path) -> None:
    rewrite(folder / "offices" / "bontang.yaml", "  - {id: dinkes", "  - {id: dinkes-lama")
    said = [one.say(Translator("en")) for one in check(folder).mistakes]
    assert any("The office bontang has no agency dinkes" in one for one in said), said


def test_references_to_nothing_are_reported_and_the_office_works_on(folder: Path) -> None:
    file = folder / "offices" / "tebet.yaml"
    rewrite(file, "permit_types: [imb,", "permit_types: [imbb,")
    rewrite(file, "parent: jakarta-selatan", "parent: jakarta-timur")
    found = check(folder)
    said = "\n".join(one.say(Translator("en")) for one in found.mistakes)
    assert "There is no permit type imbb." in said
    assert "There is no office jakarta-timur that could be above this one." in said
    assert found.catalogue.above("tebet") == []
    assert found.catalogue.offices["tebet"].takes_online("sku")


def test_offices_above_each_other_are_reported_and_end_no_search(folder: Path) -> None:
    rewrite(
        folder / "offices" / "jakarta.yaml", "level: provinsi", "level: provinsi\nparent: tebet"
    )
    found = check(folder)
    assert {one.file for one in found.mistakes} == {
        "jakarta.yaml",
        "jakarta-selatan.yaml",
        "tebet.yaml",
    }
    assert [office.id for office in found.catalogue.above("tebet")] == [
        "jakarta-selatan",
        "jakarta",
    ]


def test_a_bad_newest_version_leaves_the_older_one_in_force(folder: Path) -> None:
    rewrite(folder / "permits" / "reklame.v2.yaml", "      days: 3", "      days: 0")
    catalogue = load_catalogue(folder, lambda: datetime(2026, 8, 3, tzinfo=UTC))
    assert [one.file for one in catalogue.refused] == ["reklame.v2.yaml"]
    in_force = catalogue.current("reklame", date(2026, 8, 3))
    assert in_force is not None
    assert in_force.version == 1
    assert catalogue.current("siup", date(2026, 8, 3)) is not None


def test_a_running_permit_keeps_its_version(folder: Path) -> None:
    sops = Sops(load_catalogue(folder, lambda: datetime(2026, 8, 3, tzinfo=UTC)))
    budgets = []
    for version in (1, 2):
        stage = sops.of("bogor", "reklame", version).stage("survey")
        assert stage is not None
        budgets.append(stage.budget)
    assert budgets == [2 * 450, 3 * 450]


def test_a_new_version_of_an_office_starts_on_its_own_day_in_a_running_process(
    folder: Path,
) -> None:
    first = folder / "offices" / "bogor.yaml"
    second = folder / "offices" / "bogor.v2.yaml"
    rewrite(first, "version: 1\neffective: 2026-01-01", "version: 2\neffective: 2026-08-03", second)
    rewrite(second, "address: Jl. Contoh No. 1", "address: Jl. Baru No. 1")
    at = [datetime(2026, 8, 2, 16, 59, tzinfo=UTC)]
    catalogue = load_catalogue(folder, lambda: at[0])
    assert catalogue.offices["bogor"].address == "Jl. Contoh No. 1, Bogor"
    # Midnight in Bogor.
    at[0] = datetime(2026, 8, 2, 17, 0, tzinfo=UTC)
    assert catalogue.offices["bogor"].address == "Jl. Baru No. 1, Bogor"
    before, long_ago = (catalogue.office("bogor", d) for d in (date(2026, 8, 2), date(2011, 1, 1)))
    assert before is not None
    assert before is long_ago


def test_each_day_is_worked_by_the_version_of_that_day(folder: Path) -> None:
    first = folder / "offices" / "bogor.yaml"
    second = folder / "offices" / "bogor.v2.yaml"
    rewrite(first, "version: 1\neffective: 2026-01-01", "version: 2\neffective: 2026-08-04", second)
    rewrite(second, '  tue: ["07:30-12:00", "13:00-16:00"]', '  tue: ["08:00-12:00"]')
    calendar = Calendars(load_catalogue(folder, lambda: datetime(2026, 8, 3, tzinfo=UTC))).of(
        "bogor"
    )
    monday, tuesday, wednesday = (datetime(2026, 8, day, tzinfo=JAKARTA) for day in (3, 4, 5))
    assert calendar.minutes_between(monday, tuesday) == 450
    assert calendar.minutes_between(tuesday, wednesday) == 240


def test_joint_leave_is_no_working_day_in_the_country_that_takes_it() -> None:
    calendars = Calendars(Catalogue.load(SHIPPED))
    for office in ("bogor", "mataram", "tebet"):
        assert not calendars.of(office).is_working_day(date(2026, 12, 24))
        assert calendars.of(office).is_working_day(date(2026, 12, 23))
    assert calendars.of("receipt").is_working_day(date(2026, 12, 24))


def test_a_half_day_is_worked_as_its_file_says(folder: Path) -> None:
    file = folder / "offices" / "bogor.yaml"
    rewrite(file, "day_minutes:", 'special_hours:\n  2026-12-31: ["07:30-11:00"]\nday_minutes:')
    calendar = Calendars(Catalogue.load(folder)).of("bogor")
    start = datetime(2026, 12, 31, tzinfo=JAKARTA)
    assert calendar.minutes_between(start, datetime(2027, 1, 1, tzinfo=JAKARTA)) == 210


@pytest.mark.parametrize(
    ("office", "kind", "level", "decides"),
    [
        ("tebet", "imb", Level.KOTA, "jakarta-selatan"),
        ("jakarta-selatan", "imb", Level.KECAMATAN, "tebet"),
        ("menteng-dalam", "sku", Level.KELURAHAN, "menteng-dalam"),
        ("menteng-dalam", "siup-jakarta", Level.PROVINSI, "jakarta"),
        # No district office below it takes the type: the city stands in.
        ("bogor", "situ", Level.KECAMATAN, "bogor"),
        # No province above it is here.
        ("bogor", "situ", Level.PROVINSI, None),
    ],
)
def test_who_decides(office: str, kind: str, level: Level, decides: str | None) -> None:
    catalogue = Catalogue.load(SHIPPED)
    found = catalogue.authority(catalogue.offices[office], catalogue.types[kind, 1], level)
    assert (found.id if found else None) == decides


def test_every_office_has_somebody_for_every_role_its_procedures_need() -> None:
    catalogue, accounts = Catalogue.load(SHIPPED), Accounts.load(SHIPPED / "accounts")
    sops = Sops(catalogue)
    for office in catalogue.offices.values():
        if not office.channels:
            continue
        for kind in catalogue.types.values():
            if kind.id in office.permit_types:
                for stage in sops.of(office.id, kind.id, kind.version).stages:
                    if stage.role is not None:
                        assert accounts.of_office(office.id, stage.role), (office.id, stage)
