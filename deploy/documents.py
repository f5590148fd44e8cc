"""Generates docs/asyncapi.yaml and docs/openapi.json from the code; ``--check`` compares them.

Programs of other people read these files, so they are committed and may never lag the code.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import yaml

from deploy.serve import application, opened
from deploy.supervision import Supervisor
from shared.codec import Codec
from shared.contracts import BY_NAME, EventType
from shared.settings import SERVICES, Settings
from shared.topics import TOPICS, Topic

DOCS = Path(__file__).resolve().parent.parent / "docs"
# Pages are for people; these are for programs.
_PROGRAM_PATHS = ("/api/", "/v1.0/", "/webhooks/")

_STRING = {"type": "string"}
_HEADERS = {
    "type": "object",
    "description": "CloudEvents 1.0, Kafka binding, binary mode, with Jejak's envelope.",
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {**_STRING, "format": "uuid", "description": "derived from the event's cause"},
        "ce_type": {**_STRING, "description": "the event's stored name, for ever"},
        "ce_source": _STRING,
        "ce_subject": {**_STRING, "description": "the stream"},
        "ce_time": {**_STRING, "format": "date-time", "description": "when it happened"},
        "ce_position": {**_STRING, "description": "place in the global order"},
        "ce_streamversion": {**_STRING, "description": "place in the stream, from 1"},
        "ce_schemaversion": _STRING,
        "ce_recordedtime": {**_STRING, "format": "date-time"},
        "ce_actor": {**_STRING, "description": "an account or system name, never a person's"},
        "ce_causeid": _STRING,
        "ce_correlationid": {**_STRING, "description": "the application's id"},
    },
    "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_subject", "ce_time"],
}


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI 3.0 document of every topic and event."""
    codec, schemas = Codec(), {"Envelope": _HEADERS}
    messages: dict[str, Any] = {}
    for kind in BY_NAME.values():
        schema = codec.json_schema(kind.name)
        schemas |= schema.pop("$defs", {})
        schemas[kind.name] = schema
        messages[kind.name] = _message(kind)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Jejak",
            "version": "1.0.0",
            "description": "The events of a one-stop permit office. Fields marked x-personal hold "
            "personal data.",
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": {f"receive-{topic.service}": _receive(topic) for topic in TOPICS},
        "components": {"messages": messages, "schemas": schemas},
    }


def _message(kind: EventType) -> dict[str, Any]:
    return {
        "name": kind.name,
        "summary": (kind.cls.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/Envelope"},
        "payload": {"$ref": f"#/components/schemas/{kind.name}"},
        "x-schema-version": kind.version,
    }


def _channel(topic: Topic) -> dict[str, Any]:
    return {
        "address": topic.name,
        "description": f"What {topic.service} publishes; the key is the application's id.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in topic.events},
        "bindings": {"kafka": {"partitions": topic.partitions, "bindingVersion": "0.5.0"}},
    }


def _receive(topic: Topic) -> dict[str, Any]:
    return {"action": "receive", "channel": {"$ref": f"#/channels/{topic.name}"}}


async def openapi() -> dict[str, Any]:
    """Return the OpenAPI document of all services' programs' interfaces in one process."""
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Settings(data=Path(folder)), SERVICES) as running:
            document = application(running, Supervisor(), ()).openapi()
    paths = {
        path: item for path, item in document["paths"].items() if path.startswith(_PROGRAM_PATHS)
    }
    return document | {"paths": dict(sorted(paths.items()))}


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 when a file is stale.")
def main(check: bool) -> None:
    """Write the generated documents."""
    made = {
        DOCS / "asyncapi.yaml": yaml.safe_dump(asyncapi(), sort_keys=False, allow_unicode=True),
        DOCS / "openapi.json": json.dumps(asyncio.run(openapi()), indent=1, ensure_ascii=False)
        + "\n",
    }
    stale = [file for file, text in made.items() if not file.exists() or file.read_text() != text]
    for file in stale:
        if not check:
            file.write_text(made[file])
        click.echo(f"{'stale' if check else 'written'}: docs/{file.name}")
    if stale and check:
        click.echo("Run `make docs` and commit the result.")
        sys.exit(1)


if __name__ == "__main__":
    main()
