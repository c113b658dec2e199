"""Foreign documents held against a published JSON schema, each problem said for a person.

What a leaf has to be is said by its `description` in the schema, a rule about several fields by its
`$comment`, so that schema, message and behaviour cannot differ. No message repeats a value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Any, Final, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

Problem = tuple[str, str]

_TYPES: Final = {
    "object": "a table",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
}
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]+")
#: Control characters and lone surrogates stand in no XML and in no database.
_UNWRITABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_DEPTH_MAX: Final = 20


@cache
def _validator(name: str) -> Draft202012Validator:
    text = resources.files("hub.domain").joinpath(f"{name}.schema.json").read_text("utf-8")
    schema = json.loads(text, parse_float=Decimal)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def problems(name: str, document: object) -> list[Problem]:
    """Every way in which the document differs from the schema `name`, in the document's order."""
    found = list(_unwritable(document, (), 0))
    try:
        errors = sorted(_validator(name).iter_errors(document), key=lambda one: one.json_path)
    except ArithmeticError:
        return found  # NaN compares with nothing; it is among the problems already
    found += [problem for error in errors for problem in _said(error)]
    return list(dict.fromkeys(found))


def path_of(steps: Iterator[object] | tuple[object, ...]) -> str:
    """`lines[0].total`, `producto.sku."A 1".clave_unidad`."""
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            name = str(step)[:60]
            plain = _PLAIN.fullmatch(name)
            path += ("." if path else "") + (name if plain else json.dumps(name))
    return path


def _unwritable(value: object, steps: tuple[object, ...], depth: int) -> Iterator[Problem]:
    if depth > _DEPTH_MAX:
        yield path_of(steps), "is nested too deeply"
    elif isinstance(value, str) and _UNWRITABLE.search(value):
        yield path_of(steps), "has control characters or line breaks: remove them"
    elif isinstance(value, Decimal) and not (value.is_finite() and abs(value.adjusted()) <= 20):
        yield path_of(steps), "is not a finite number of a sensible size"
    elif isinstance(value, Mapping):
        for key, one in value.items():
            if _UNWRITABLE.search(str(key)):
                yield path_of(steps), "has a key with control characters: remove them"
            else:
                yield from _unwritable(one, (*steps, key), depth + 1)
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from _unwritable(one, (*steps, place), depth + 1)


def _said(error: ValidationError) -> Iterator[Problem]:
    steps, value = tuple(error.absolute_path), cast("Any", error.validator_value)
    schema: Mapping[str, Any] = error.schema if isinstance(error.schema, Mapping) else {}
    if "propertyNames" in error.absolute_schema_path:
        yield path_of((*steps, str(error.instance))), f"is no key here{_hint(schema)}"
    elif error.validator == "required":
        yield from _missing(error, steps, schema)
    elif error.validator == "additionalProperties":
        yield from _unknown(error, steps, schema)
    elif error.validator == "type":
        yield path_of(steps), f"has to be {_type_names(value)}{_hint(schema)}"
    elif error.validator == "enum":
        allowed = ", ".join(map(str, value))
        yield path_of(steps), f"has to be one of {allowed}{_hint(schema)}"
    elif error.validator in {"oneOf", "anyOf", "not", "dependentRequired"}:
        yield path_of(steps), str(schema["$comment"])
    else:
        yield path_of(steps), str(schema.get("description", f"breaks {error.validator}"))


def _missing(
    error: ValidationError, steps: tuple[object, ...], schema: Mapping[str, Any]
) -> Iterator[Problem]:
    for name in cast("list[str]", error.validator_value):
        if name not in cast("Mapping[str, Any]", error.instance):
            about = schema.get("properties", {}).get(name, {})
            yield path_of((*steps, name)), f"is missing{_hint(about)}"


def _unknown(
    error: ValidationError, steps: tuple[object, ...], schema: Mapping[str, Any]
) -> Iterator[Problem]:
    known = list(schema.get("properties", {}))
    for name in cast("Mapping[str, Any]", error.instance):
        if name not in known:
            near = get_close_matches(str(name), known, 1)
            advice = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
            yield path_of((*steps, name)), f"is not known; {advice}"


def _type_names(types: str | list[str]) -> str:
    return " or ".join(_TYPES[one] for one in ([types] if isinstance(types, str) else types))


def _hint(schema: Mapping[str, Any]) -> str:
    description = schema.get("description")
    return f": {description}" if description else ""
