"""Names that come from a foreign log: ours must be safe to print, short and never ambiguous."""

from __future__ import annotations

import re
import unicodedata

from deploy.importing.mapping import Number
from shared.actors import Actor, system
from shared.ids import derived_id

_MAX_SLUG = 40
IMPORTER = system("import")


def application_id(office: str, case: str) -> str:
    """Return the id of the application that a foreign office calls ``case``."""
    return derived_id("import", office, case)


def registration_number(rule: Number, case: str) -> str:
    """Return the registration number of ``case``; two cases never share one.

    ``case-10011`` becomes ``RCP-10011``. A name that does not survive this unchanged (other
    letters, too long, without the part to strip) ends in a mark derived from the whole name.
    """
    rest = case.removeprefix(rule.strip)
    slug = _slug(rest).upper()
    if case.startswith(rule.strip) and slug == rest:
        return rule.prefix + slug
    mark = derived_id("number", case)[:8].upper()
    return rule.prefix + (f"{slug}-{mark}" if slug else mark)


def officer(resource: str, office: str) -> Actor:
    """Return the actor for a resource of the log, or the importer when it names nobody."""
    slug = _slug(resource).lower()
    return Actor("officer", slug, office) if slug else IMPORTER


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._]+", "-", plain).strip("-.")[:_MAX_SLUG]
