"""The colours of tokens.css hold WCAG AA in light and dark, computed from the file itself."""

from __future__ import annotations

import re

import pytest

from shared.web.pages import STATIC_DIR

TEXT, PART = 4.5, 3.0
PAIRS = [
    *((ink, ground, TEXT) for ink in ("ink", "ink-soft") for ground in ("mori", "surface")),
    *((ink, "sunken", TEXT) for ink in ("ink", "ink-soft")),
    *((ink, ground, TEXT) for ink in ("nila", "soga", "bad") for ground in ("mori", "surface")),
    *((ink, "surface", TEXT) for ink in ("good", "warn", "wait", "info")),
    *((ink, "mori", TEXT) for ink in ("good", "warn", "wait", "info")),
    *((tone, f"{tone}-wash", TEXT) for tone in ("good", "warn", "wait", "bad", "info", "nila")),
    *(("ink", f"{tone}-wash", TEXT) for tone in ("good", "warn", "wait", "bad", "info", "soga")),
    ("on-nila", "nila", TEXT),
    ("on-nila", "nila-press", TEXT),
    ("on-bad", "bad", TEXT),
    ("nila", "nila-wash", TEXT),
    ("line-strong", "surface", PART),
    ("line-strong", "mori", PART),
    ("soga-bright", "nila-deep", PART),
]


def _tokens(scheme: str) -> dict[str, str]:
    light, _, dark = (STATIC_DIR / "tokens.css").read_text().partition("@media")
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light))
    return found | dict(
        re.findall(r"--([\w-]+): (#[0-9a-f]{6});", dark if scheme == "dark" else "")
    )


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS)
def test_contrast(scheme: str, ink: str, ground: str, least: float) -> None:
    tokens = _tokens(scheme)
    lighter, darker = sorted((_luminance(tokens[ink]), _luminance(tokens[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= least
