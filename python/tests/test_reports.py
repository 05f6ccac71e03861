"""The reports have the same fields as the schema of the command line's messages."""

from __future__ import annotations

import dataclasses
import inspect
import json
import types
import typing
from pathlib import Path
from typing import Any

import pytest
from conftest import DOCS

import uvenv

SCHEMA: dict[str, Any] = json.loads((DOCS / "messages.schema.json").read_text())
DEFINITIONS: dict[str, Any] = SCHEMA["$defs"]

# Messages that only the command line has: `new` and `explain`.
NOT_HERE = {"NewReport", "NewRemote", "NewTag", "ExplanationReport"}
SOURCES = {
    "registry": uvenv.RegistrySource,
    "git": uvenv.GitSource,
    "editable": uvenv.EditableSource,
    "directory": uvenv.DirectorySource,
    "archive": uvenv.ArchiveSource,
    "unknown": uvenv.UnknownSource,
}


def objects() -> dict[str, Any]:
    return {name: one for name, one in DEFINITIONS.items() if "properties" in one and name not in NOT_HERE}


def nullable(schema: dict[str, Any]) -> bool:
    return "null" in schema.get("type", ()) or any(one.get("type") == "null" for one in schema.get("anyOf", ()))


def fields(cls: type) -> dict[str, Any]:
    """The fields of a report class by their JSON names, with their types."""
    hints = typing.get_type_hints(cls)
    return {one.name.rstrip("_"): hints[one.name] for one in dataclasses.fields(cls)}


def check(schema: dict[str, Any], hint: Any) -> None:
    """Checks that a type matches a part of the schema."""
    if nullable(schema):
        assert type(None) in typing.get_args(hint)
        (hint,) = (one for one in typing.get_args(hint) if one is not type(None))
        (schema,) = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"] or [
            {**schema, "type": next(one for one in schema["type"] if one != "null")}
        ]
    if "$ref" in schema:
        check_named(schema["$ref"].removeprefix("#/$defs/"), hint)
    elif schema["type"] == "array":
        assert typing.get_origin(hint) is tuple
        check(schema["items"], typing.get_args(hint)[0])
    elif schema["type"] == "string":
        assert hint in {str, Path}
    elif schema["type"] == "object":
        # The document of another specification.
        assert typing.get_origin(hint) is dict
    else:
        assert hint is {"boolean": bool, "integer": int}[schema["type"]]


def check_named(name: str, hint: Any) -> None:
    definition = DEFINITIONS[name]
    if name in objects():
        assert hint.__name__ == name
    elif name == "Source":
        assert set(typing.get_args(hint)) == set(SOURCES.values())
    elif name == "Detection":
        assert set(typing.get_args(hint)) == {uvenv.Driver, uvenv.NoDriver}
    elif "oneOf" in definition:
        assert set(typing.get_args(hint)) == {one["const"] for one in definition["oneOf"]}
    else:
        assert (definition["type"], hint) == ("string", str)


@pytest.mark.parametrize("name", objects())
def test_fields_match_the_schema(name: str) -> None:
    schema = DEFINITIONS[name]
    have = fields(getattr(uvenv, name))
    assert set(have) == set(schema["properties"]) == set(schema["required"])
    for field, hint in have.items():
        check(schema["properties"][field], hint)


@pytest.mark.parametrize("schema", DEFINITIONS["Source"]["oneOf"], ids=lambda one: one["properties"]["kind"]["const"])
def test_sources_match_the_schema(schema: dict[str, Any]) -> None:
    cls = SOURCES[schema["properties"]["kind"]["const"]]
    have = fields(cls)
    assert set(have) == set(schema["properties"])
    optional = {one.name for one in dataclasses.fields(cls) if one.default is None}
    assert optional == set(schema["properties"]) - set(schema["required"])


@pytest.mark.parametrize(("key", "cls"), [("driver", uvenv.Driver), ("none", uvenv.NoDriver)])
def test_detections_match_the_schema(key: str, cls: type) -> None:
    (schema,) = (one["properties"][key] for one in DEFINITIONS["Detection"]["oneOf"] if key in one["properties"])
    assert set(fields(cls)) == set(schema["properties"]) == set(schema["required"])


def test_report_classes_have_the_reasons_of_the_schema() -> None:
    """Every report message has a class here, with its `reason`."""
    reasons: dict[str, list[str]] = {}
    for message in SCHEMA["oneOf"]:
        name = message["$ref"].removeprefix("#/$defs/")
        reasons.setdefault(name, []).append(message["properties"]["reason"]["const"])
    for name in reasons.keys() - NOT_HERE - {"Problem"}:
        # A class for several messages, which is also part of another, gets its `reason` from its message.
        assert getattr(uvenv, name)._reason == (reasons[name][0] if len(reasons[name]) == 1 else None)
    assert set(reasons["KernelReport"]) == {"kernel-installed", "kernel-removed"}


def test_all_fields_are_documented() -> None:
    for name in uvenv.__all__:
        cls = getattr(uvenv, name)
        if dataclasses.is_dataclass(cls) and not isinstance(cls, types.GenericAlias):
            for one in dataclasses.fields(cls):
                assert f"\n    {one.name}: " in (inspect.getdoc(cls) or ""), f"{name}.{one.name}"
