"""The living page of the design system at ``/design``: every component, with how to write it."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from shared.web.forms import Form
from shared.web.i18n import msg
from shared.web.pages import Pages

_TRAIL = (
    {
        "state": "done",
        "title": "Permohonan diterima",
        "when": "Senin, 16 November 2026, 09.12 WIB",
        "who": "Pemohon, lewat ponsel",
    },
    {
        "state": "done",
        "title": "Berkas lengkap dan terdaftar",
        "when": "Senin, 16 November 2026, 10.40 WIB",
        "who": "Petugas Loket",
    },
    {
        "state": "done",
        "title": "Verifikasi",
        "when": "Selasa, 17 November 2026, 14.05 WIB",
        "who": "Petugas Verifikasi",
    },
    {
        "state": "current",
        "title": "Survei lokasi",
        "when": "Dijadwalkan Rabu, 18 November 2026, 10.00 WIB",
        "who": "Petugas Survei",
        "tag": "Berjalan",
        "tone": "progress",
        "note": "Petugas datang ke lokasi. Siapkan KTP dan surat tanah yang asli.",
        "fresh": True,
    },
    {
        "state": "waiting",
        "title": "Pembayaran retribusi",
        "tag": "Menunggu pemohon",
        "tone": "waiting",
        "note": "Rp1.250.000 lewat bank. Waktu layanan berhenti selama menunggu.",
    },
    {"state": "upcoming", "title": "Tanda tangan kepala kantor"},
    {"state": "upcoming", "title": "Serah terima izin"},
)
_COLUMNS = (
    {"key": "number", "label": "Nomor"},
    {"key": "kind", "label": "Jenis izin"},
    {"key": "officer", "label": "Petugas"},
    {"key": "left", "label": "Sisa waktu", "numeric": True},
    {"key": "fee", "label": "Retribusi", "numeric": True},
)
_ROWS = (
    (
        "BGR-2026-000417",
        "Izin mendirikan bangunan",
        "Petugas Survei",
        "1 hari 3 jam",
        "Rp1.250.000",
    ),
    ("BGR-2026-000402", "Izin reklame", "Petugas Verifikasi", "2 jam", "Rp14.062.500"),
    ("BGR-2026-000398", "Surat izin praktik dokter", "Kepala Kantor", "lewat 4 jam", "Rp0"),
)
_COLOURS = (
    ("--mori", "mori"),
    ("--surface", "surface"),
    ("--sunken", "sunken"),
    ("--ink", "ink"),
    ("--ink-soft", "ink-soft"),
    ("--nila", "nila"),
    ("--nila-deep", "nila-deep"),
    ("--soga", "soga"),
    ("--soga-bright", "soga-bright"),
    ("--good", "good"),
    ("--warn", "warn"),
    ("--wait", "wait"),
    ("--bad", "bad"),
    ("--info", "info"),
)
_TYPED = (
    Form({"name": "Pemohon Contoh", "nik": "3271", "channel": "phone", "papers": ["ktp"]})
    .with_error("nik", msg("The NIK has 16 digits, as printed on the KTP."))
    .with_error("kind", msg("Choose one of the options."))
)


def design_router(pages: Pages) -> APIRouter:
    """Return the route of the living page."""
    router = APIRouter(include_in_schema=False)
    keys = [column["key"] for column in _COLUMNS]

    @router.get("/design")
    async def show(request: Request) -> Response:
        return pages.render(
            request,
            "design.html",
            trail_steps=_TRAIL,
            columns=_COLUMNS,
            rows=[dict(zip(keys, row, strict=True)) for row in _ROWS],
            colours=_COLOURS,
            form=_TYPED,
            page_url=lambda page: f"/design?page={page}#pagination",
        )

    return router
