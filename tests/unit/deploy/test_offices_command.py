"""``jejak offices``: what a person reads who changed a file, and what a program gets."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deploy.cli import main
from shared.settings import Settings

SHIPPED = Settings().config


def jejak(*words: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, ["--lang", "id", "offices", *words], catch_exceptions=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped offices and permits that a test may change."""
    for name in ("offices", "permits", "holidays"):
        shutil.copytree(SHIPPED / name, tmp_path / name)
    return tmp_path


def change(file: Path, old: str, new: str) -> None:
    """Replace text that must be there."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_the_shipped_data_is_fine() -> None:
    result = jejak("check")
    assert result.exit_code == 0, result.output
    assert "9 kantor" in result.output
    assert "tidak ada yang salah" in result.output


def test_a_mistake_is_named_and_the_exit_code_says_so(folder: Path) -> None:
    change(folder / "permits" / "siup.yaml", "working_days: 3", "working_days: tiga")
    result = jejak("check", str(folder))
    assert result.exit_code == 1
    assert "siup.yaml, baris 8: promise.working_days: Tulis bilangan bulat." in result.output


def test_stages_that_may_take_longer_than_is_promised_are_warned_of(folder: Path) -> None:
    change(folder / "permits" / "siup.yaml", "working_days: 3", "working_days: 1")
    result = jejak("check", str(folder))
    assert result.exit_code == 0
    assert "tidak ada yang salah" in result.output
    line = "siup.yaml, baris 8: promise.working_days: Di bogor semua tahap bersama boleh memakan"
    assert line in result.output
    assert json.loads(jejak("check", str(folder), "--json").output) == []


def test_a_program_gets_file_line_and_place(folder: Path) -> None:
    change(folder / "permits" / "siup.yaml", "working_days: 3", "working_days: tiga")
    result = jejak("check", str(folder), "--json")
    assert result.exit_code == 1
    assert json.loads(result.output) == [
        {
            "file": "siup.yaml",
            "line": 8,
            "place": "promise.working_days",
            "reason": "Tulis bilangan bulat.",
        }
    ]


def test_a_difference_is_told_in_words(folder: Path) -> None:
    file = folder / "permits" / "situ.yaml"
    change(file, "      days: 2\n      survey: optional", "      days: 3\n      survey: optional")
    change(file, "    - id: bukti-tempat\n", "    - id: bukti-hak\n")
    before, after = (f"ready: {word}}}\n  - {{id: dpupr" for word in ("false", "true"))
    change(folder / "offices" / "bontang.yaml", before, after)
    change(folder / "offices" / "bogor.yaml", "channels: [online, counter]", "channels: [online]")
    lines = jejak("diff", str(SHIPPED), str(folder)).output.splitlines()
    assert lines == [
        "office bogor: channels: online, counter → online",
        "office bontang: dinas dinkes ready: False → True",
        "permit situ: dokumen bukti-tempat: dihapus",
        "permit situ: dokumen bukti-hak: ditambahkan",
        "permit situ: tahap survey: 2 hari kerja → 3 hari kerja",
    ]


def test_two_versions_and_two_files_are_compared_alike() -> None:
    files = [str(SHIPPED / "permits" / name) for name in ("reklame.yaml", "reklame.v2.yaml")]
    versions = jejak("diff", "reklame@1", "reklame@2")
    assert versions.output == jejak("diff", *files).output
    assert "permit reklame: tahap survey: 2 hari kerja → 3 hari kerja" in versions.output
    assert jejak("diff", "reklame@1", "reklame@1").output == "Tidak ada perbedaan.\n"


def test_what_is_not_there_is_refused() -> None:
    for words, said in (
        (("diff", "reklame@1", "reklame@9"), "Versi ditulis seperti reklame@2"),
        (("show", "surabaya"), "Tidak ada kantor seperti itu. Yang ada: blitar, bogor, bontang,"),
        (("show", "blitar", "imb"), "Yang dilayani: penelitian, sip-dokter-unduh, siup-unduh, tdp"),
    ):
        result = jejak(*words)
        assert result.exit_code == 1
        assert said in result.output


def test_an_office_and_a_permit_type_are_shown_with_their_versions() -> None:
    shown = jejak("show", "bogor")
    assert "Jl. Contoh No. 1, Bogor" in shown.output
    kind = json.loads(jejak("show", "bogor", "reklame", "--json").output)
    assert [one["version"] for one in kind] == [1, 2]
