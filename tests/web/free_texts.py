"""Free texts of the API (自由文本): where its document has one, each in a well-formed request.

Free is a string whose schema takes a quote, a bracket, a semicolon or a space. Every other (of a
list, a format, a pattern) is told: nothing that it takes ends a literal or begins a word of SQL.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple, cast
from urllib.parse import quote

from jsonschema import Draft202012Validator

from app.kernel.clock import day_of, now

MARK: Final = "*"
"""Behind a text that sqlmap is to try."""
SIGNS: Final = ("'", '"', "(", ";", " ")
NDJSON: Final = "application/x-ndjson"
FORM: Final = "application/x-www-form-urlencoded"
PLAIN: Final = ("free", "sz-metro", "SZ-METRO", "2026-06", "1", "0" * 64)
"""Texts of which one satisfies a schema that gives no example."""
Json = Any
Keys = tuple[str | int, ...]


class Place(NamedTuple):
    """Where a string stands in a request."""

    keys: Keys
    """``path``, ``query``, ``header``, ``cookie`` or ``body``, and the way from there."""
    signs: frozenset[str]
    """Which of ``SIGNS`` it takes."""

    @property
    def is_free(self) -> bool:
        return bool(self.signs)

    @property
    def header(self) -> str:
        """The header that it is in, or nothing."""
        part, *names = self.keys
        return "cookie" if part == "cookie" else str(names[0]).lower() if part == "header" else ""


@dataclass
class Draft:
    """A well-formed request of an operation."""

    method: str
    template: str
    scopes: frozenset[str]
    media: str
    parts: dict[str, Json] = field(default_factory=dict[str, Json])
    """By part: names and values, and of the body whatever it is."""
    places: list[Place] = field(default_factory=list[Place])

    @property
    def free(self) -> list[Place]:
        return [each for each in self.places if each.is_free]

    def text(self, place: Place) -> str:
        found: Json = self.parts
        for key in place.keys:
            found = found[key]
        return str(found)

    def with_texts(self, texts: Mapping[Place, str]) -> "Draft":
        """Give it with other texts at some places."""
        parts = deepcopy(self.parts)
        for place, text in texts.items():
            *way, last = place.keys
            found: Json = parts
            for key in way:
                found = found[key]
            found[last] = text
        return replace(self, parts=parts)

    def marked(self, places: Iterable[Place]) -> "Draft":
        return self.with_texts({place: self.text(place) + MARK for place in places})

    @property
    def address(self) -> str:
        path = self.template
        for name, text in self.parts.get("path", {}).items():
            path = path.replace(f"{{{name}}}", quote(str(text), safe=MARK))
        query = _form(self.parts.get("query", {}))
        return f"{path}?{query}" if query else path

    @property
    def headers(self) -> dict[str, str]:
        cookies = "; ".join(f"{name}={text}" for name, text in self.parts.get("cookie", {}).items())
        return (
            ({"content-type": self.media} if self.media else {})
            | ({"cookie": cookies} if cookies else {})
            | self.parts.get("header", {})
        )

    @property
    def body(self) -> str:
        if not self.media:
            return ""
        body = self.parts["body"]
        return _form(body) if self.media == FORM else json.dumps(body, ensure_ascii=False)


def _form(fields: Mapping[str, Json]) -> str:
    return "&".join(f"{name}={quote(str(text), safe=MARK)}" for name, text in fields.items())


def drafts(document: Mapping[str, Any], known: Mapping[str, Json]) -> dict[str, list[Draft]]:
    """Give a request for each form that each operation's body has, by ``METHOD /path``.

    Args:
        document: OpenAPI.
        known: Values of what there is, by the name of a parameter or of a body's field, or by path
            and name; for every other the document has an example, or its schema is met.
    """
    writer = Writer(document, known)
    return {
        f"{method.upper()} {path}": [*writer.requests(method, path, told)]
        for path, methods in document["paths"].items()
        for method, told in methods.items()
    }


class Writer:
    """Writes values of schemas, and notes where the strings are."""

    def __init__(self, document: Mapping[str, Any], known: Mapping[str, Json]) -> None:
        self._models: Mapping[str, Any] = document.get("components", {}).get("schemas", {})
        self._known = known

    def requests(self, method: str, path: str, told: Mapping[str, Any]) -> Iterator[Draft]:
        """Write an operation's; what may be left out is, unless it is free or known."""
        scopes = {s for each in told.get("security", []) for names in each.values() for s in names}
        for media, schema in self._bodies(told.get("requestBody", {}).get("content", {})):
            draft = Draft(method.upper(), path, frozenset(scopes), media)
            for each in told.get("parameters", []):
                part, name, asked = each["in"], each["name"], each["schema"]
                if name == "content-type":
                    asked = {**asked, "examples": [media]}
                if each.get("required") or self._is_wanted(asked, path, name):
                    values = draft.parts.setdefault(part, {})
                    values[name] = self._value(draft, asked, (part, name))
            if media == NDJSON:
                draft.parts["body"] = self._example(draft, schema, ("body",))
            elif media:
                draft.parts["body"] = self._value(draft, schema, ("body",))
            yield draft

    def _bodies(self, content: Mapping[str, Any]) -> Iterator[tuple[str, Json]]:
        """Give each form of a body: its schema, or of lines, which have none, the example."""
        for media, each in content.items():
            if media == NDJSON:
                yield media, json.loads(each["example"].splitlines()[0])
            else:
                for kind in self._resolved(each["schema"]).get("oneOf", [each["schema"]]):
                    yield media, kind
        if not content:
            yield "", {}

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        ref = schema.get("$ref")
        return schema if ref is None else self._models[ref.rpartition("/")[2]]

    def _plain(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give the first of alternatives, with the examples of all."""
        found = self._resolved(schema)
        kinds = found.get("oneOf") or found.get("anyOf")
        if kinds is None:
            return found
        shown = {"examples": found["examples"]} if "examples" in found else {}
        return {**self._plain(kinds[0]), **shown}

    def _is_wanted(self, schema: Mapping[str, Any], path: str, name: str) -> bool:
        is_known = name in self._known or f"{path} {name}" in self._known
        return is_known or self._has_free(schema)

    def _has_free(self, schema: Mapping[str, Any]) -> bool:
        found = self._plain(schema)
        if found.get("type") == "object":
            return any(map(self._has_free, found.get("properties", {}).values()))
        if found.get("type") == "array":
            return self._has_free(found["items"])
        return found.get("type") == "string" and bool(signs_of(found))

    def _value(self, draft: Draft, schema: Mapping[str, Any], at: Keys) -> Json:
        found, name = self._plain(schema), str(at[-1])
        real = self._known.get(f"{draft.template} {name}", self._known.get(name))
        if real is not None and found.get("type") != "string":
            return real
        match found.get("type"):
            case "object" if "properties" in found:
                asked = set(found.get("required", ()))
                value: Json = {
                    name: self._value(draft, each, (*at, name))
                    for name, each in found["properties"].items()
                    if name in asked or self._is_wanted(each, draft.template, name)
                }
            case "object":
                value = self._example(draft, found.get("examples", [{}])[0], at)
            case "array":
                value = [self._value(draft, found["items"], (*at, 0))]
            case "integer":
                value = int(found.get("examples", [found.get("minimum", 1)])[0])
            case "number":
                value = found.get("examples", [found.get("minimum", 1)])[0]
            case "boolean":
                value = True
            case _:
                if found.get("format") != "binary":  # a file, which its own reader judges
                    draft.places.append(Place(at, signs_of(found)))
                value = example_of(found) if real is None else real
        return value

    def _example(self, draft: Draft, example: Json, at: Keys) -> Json:
        """Take an example of what no schema tells; all of its strings are free."""
        draft.places += [Place(keys, frozenset(SIGNS)) for keys in _strings(example, at)]
        return example


def signs_of(schema: Mapping[str, Any]) -> frozenset[str]:
    """Give which signs a string of the schema may hold at its end."""
    if "format" in schema:
        return frozenset()
    example, check = example_of(schema), Draft202012Validator(schema)
    return frozenset(
        sign
        for sign in SIGNS
        if check.is_valid(example + sign) or check.is_valid(example[:-1] + sign)
    )


def example_of(schema: Mapping[str, Any]) -> str:
    """Give a text of the schema."""
    check = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    told = [*schema.get("examples", ()), *schema.get("enum", ()), schema.get("const")]
    candidates = [*told, *PLAIN, day_of(now()).isoformat()]
    return next(
        each for each in candidates if each and isinstance(each, str) and check.is_valid(each)
    )


def _strings(value: Json, keys: Keys) -> Iterator[Keys]:
    if isinstance(value, str):
        yield keys
    elif isinstance(value, dict):
        for name, each in cast("dict[str, Json]", value).items():
            yield from _strings(each, (*keys, name))
