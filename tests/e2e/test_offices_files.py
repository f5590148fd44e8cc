"""Data files that can't be used: each mistake is told so that a civil servant can mend it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from deploy.cli import main
from shared.settings import Settings

VERIFY, ENTRY = "    - id: verify\n", "    - id: data-entry\n"
MISTAKES = {
    "stages in a circle": (
        "permits/siup.yaml",
        ENTRY,
        f"{ENTRY}      next: verify\n",
        "Tahap-tahap ini berputar tanpa akhir: verify → data-entry → verify.",
    ),
    "a stage nobody reaches": (
        "permits/siup.yaml",
        VERIFY,
        f"{VERIFY}      next: sign\n",
        "Tidak ada izin yang pernah sampai ke: data-entry.",
    ),
    "no time at all": (
        "permits/siup.yaml",
        "days: 1\n",
        "days: 0\n",
        "workflow.stages.0.days: Tulis angka lebih dari 0.",
    ),
    "an unknown role": (
        "permits/siup.yaml",
        "role: verifier",
        "role: penjaga",
        "Ini tidak dikenal di sini. Yang boleh: 'counter', 'verifier'",
    ),
    "a day of another year": (
        "holidays/2026.yaml",
        "2026-02-16",
        "2025-02-16",
        "Tanggal 2025-02-16 tidak berada di tahun 2026 berkas ini.",
    ),
    "a tariff from no day on": (
        *("permits/situ.yaml", "    - id: situ-2026\n      effective: 2026-01-01\n"),
        *(
            "    - id: situ-2026\n",
            "Tarif harus menyebut sejak tanggal berapa berlaku: isi `effective`.",
        ),
    ),
    "two versions from one day": (
        *(
            "permits/reklame.v2.yaml",
            "\neffective: 2026-07-01\n",
            "\neffective: 2026-01-01\n",
            "reklame sudah punya versi yang berlaku mulai 2026-01-01",
        ),
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_file_line_and_what_is_allowed(tmp_path: Path, mistake: str) -> None:
    name, old, new, said = MISTAKES[mistake]
    for folder in ("offices", "permits", "holidays"):
        shutil.copytree(Settings().config / folder, tmp_path / folder)
    file = tmp_path / name
    changed = file.read_text().replace(old, new, 1)
    assert changed != file.read_text()
    file.write_text(changed)
    result = CliRunner().invoke(main, ["--lang", "id", "offices", "check", str(tmp_path)])
    assert result.exit_code == 1, result.output
    assert re.search(r"\w+\.yaml, baris \d+: ", result.output)
    assert said in result.output
