"""Rules for tests that send at any hour of the day: the shipped ones, without quiet hours."""

from __future__ import annotations

from pathlib import Path

import yaml

SHIPPED = Path(__file__).parents[1] / "services" / "notify" / "rulebook" / "rules.yaml"


def rules_at_any_hour(folder: Path, *, gathers: bool = True) -> Path:
    """Write rules by which nothing waits for the morning, nor, unless ``gathers``, for others."""
    rules = yaml.safe_load(SHIPPED.read_text("utf-8"))
    del rules["quiet_hours"]
    if not gathers:
        for rule in rules["rules"]:
            rule.pop("digest", None)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "rules.yaml"
    file.write_text(yaml.safe_dump(rules), "utf-8")
    return file
