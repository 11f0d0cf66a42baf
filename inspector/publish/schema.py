"""JSON Schema (2020-12) of every message, generated from the models.

`python -m inspector.publish.schema` writes the files that are committed beside this one.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from inspector.publish import announcement
from inspector.publish.announcement import SCHEMAS
from inspector.publish.message import ResultMessage

FOLDER = Path(__file__).with_name("schemas")

_MODELS: dict[str, Any] = {
    "result": ResultMessage,
    "status": announcement.Online | announcement.Offline,
    "birth": announcement.BirthMessage,
    "count": announcement.CountMessage,
    "alarm": announcement.AlarmMessage,
    "stats": announcement.StatsMessage,
}


class _Generator(GenerateJsonSchema):
    """Without titles, which would repeat the field's name; required is what is always written.

    A nullable field or a bool with a default came later: a message that waited in an outbox while
    the inspector was updated does not have it, and is valid all the same.
    """

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False

    def field_is_required(self, field: Any, total: bool) -> bool:
        if field["type"] != "model-field":
            return super().field_is_required(field, total)
        inner = field["schema"]
        return inner["type"] != "default" or inner["schema"]["type"] not in {"bool", "nullable"}


def schema(name: str) -> dict[str, Any]:
    """The schema of one topic's messages: result, status, birth, count, alarm or stats."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMAS[name]}
    adapter = TypeAdapter(_MODELS[name])
    return head | adapter.json_schema(mode="serialization", schema_generator=_Generator)


def text(name: str) -> str:
    """The schema as its file holds it."""
    return json.dumps(schema(name), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for topic in SCHEMAS:
        (FOLDER / f"{topic}.json").write_text(text(topic), encoding="utf-8")
