"""QR codes on pages."""

from __future__ import annotations

import segno
from markupsafe import Markup


def qr(address: str) -> Markup:
    """Return a QR code as SVG, dark on white in every colour scheme."""
    drawn = segno.make(address, error="m").svg_inline(scale=5, border=4, light="#fff", dark="#000")
    return Markup(drawn)
