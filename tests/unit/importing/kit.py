"""Small logs and mappings to import, and what every test of the importer stands on."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from xml.sax.saxutils import quoteattr

from deploy.importing.mapping import Mapping
from shared.offices import Catalogue

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
CATALOGUE = Catalogue.load(DEPLOY)
OFFICE = CATALOGUE.offices["receipt"]
NOW = datetime(2026, 1, 5, tzinfo=UTC)

RECEIPT = "Confirmation of receipt"
CHECK = "T02 Check confirmation of receipt"

Event = dict[str, str]


def mapping(**changes: object) -> Mapping:
    """Return a small mapping of two activities, with ``changes``."""
    return Mapping.model_validate(
        {
            "permit_type": "wabo-receipt",
            "number": {"prefix": "RCP-", "strip": "case-"},
            "submitted": {"attribute": "startdate"},
            "registered": {"attribute": "startdate"},
            "closed": {"attribute": "enddate"},
            "trace": {
                "channel": "channel",
                "responsible": "responsible",
                "planned_end": "enddate_planned",
                "answers": {"department": "department"},
            },
            "event": {"group": "org:group"},
            "channels": {"Internet": "online"},
            "activities": {RECEIPT: "receipt", CHECK: "t02-check-receipt"},
            "empty": ["EMPTY"],
            **changes,
        }
    )


def event(
    activity: str = RECEIPT,
    at: str = "2011-10-10T09:00:00+02:00",
    who: str = "Resource06",
    **more: str,
) -> Event:
    """Return the attributes of one event; ``more`` adds or replaces some."""
    made = {"concept:name": activity, "time:timestamp": at, "org:resource": who, **more}
    return {key: value for key, value in made.items() if value}


def trace(name: str = "case-1", events: Sequence[Event] = (), **attributes: str) -> str:
    """Return a trace in XML, submitted on 6 October 2011 unless ``startdate`` says otherwise."""
    given = {"concept:name": name, "startdate": "2011-10-06T01:06:40.020+02:00", **attributes}
    own = "".join(_attribute(key, value) for key, value in given.items() if value)
    inner = "".join(
        f"<event>{''.join(_attribute(*item) for item in one.items())}</event>\n" for one in events
    )
    return f"<trace>\n{own}{inner}</trace>\n"


def _attribute(key: str, value: str) -> str:
    return f"<string key={quoteattr(key)} value={quoteattr(value)}/>\n"


def log(*traces: str, head: str = '<?xml version="1.0"?>\n<log>\n', tail: str = "</log>") -> str:
    """Return a whole log in XML, with a log attribute before its traces."""
    return f'{head}<string key="note" value="x"/>\n{"".join(traces)}{tail}'


def write(folder: Path, text: str | bytes, *, zipped: bool = False) -> Path:
    """Write ``text`` as a log file in ``folder``, gzipped or plain."""
    data = text.encode() if isinstance(text, str) else text
    file = folder / ("log.xes.gz" if zipped else "log.xes")
    file.write_bytes(gzip.compress(data) if zipped else data)
    return file
