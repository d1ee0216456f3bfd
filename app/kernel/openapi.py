"""The API's document (接口文档): what every endpoint shares is written once, here.

FastAPI writes what an endpoint declares. Added are the refusals that any of its kind may give: no
token, no scope, a malformed request, an answer that is not to be had now, all as problem documents.
"""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI

from app.kernel.http import PROBLEM, ProblemOut
from app.kernel.scopes import Scope

VERSIONED: Final = "/v1/"
REF: Final = "#/components/schemas/{model}"
SHARED: Final = {
    "413": "The body is larger than this endpoint takes.",
    "422": "The request is not of the documented form.",
    "503": "A server that this needs is away; try again.",
}
SECURED: Final = {
    "401": "There is no proof of who asks, or it does not hold.",
    "403": "Whoever asks may not do this.",
}
KEYED: Final = {"400": "The Idempotency-Key is missing or unusable, or the body cannot be read."}
WITH_BODY: Final = {"400": "The body cannot be read."}
PERSONAL: Final = {"404": "There is none such of one's own, or whoever asks was erased."}
KEY: Final = "idempotency-key"
REFUSED: Final = "400"
"""Refusals begin here; statuses are texts of three digits."""


def describe(app: FastAPI) -> None:
    """Let ``app.openapi()`` tell what all endpoints share."""
    written = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = written()
            _add_problem(document)
            for path, methods in document["paths"].items():
                for operation in methods.values() if path.startswith(VERSIONED) else ():
                    _complete(operation)
        return app.openapi_schema or {}

    app.openapi = openapi  # the documented way to extend it


def _add_problem(document: dict[str, Any]) -> None:
    models = document.setdefault("components", {}).setdefault("schemas", {})
    problem = ProblemOut.model_json_schema(ref_template=REF)
    models |= problem.pop("$defs", {})
    models["ProblemOut"] = problem
    for unused in ("HTTPValidationError", "ValidationError"):
        models.pop(unused, None)


def _scopes(operation: dict[str, Any]) -> set[str]:
    asked: list[dict[str, list[str]]] = operation.get("security", [])
    return {scope for each in asked for scopes in each.values() for scope in scopes}


def _complete(operation: dict[str, Any]) -> None:
    """Add the shared refusals, each where the endpoint does not tell of its own."""
    parameters: list[dict[str, Any]] = operation.get("parameters", [])
    keys = [each for each in parameters if each["name"].lower() == KEY]
    for each in keys:
        each["required"] = True
        each["schema"] = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"}
    told: dict[str, Any] = operation.setdefault("responses", {})
    shared: Mapping[str, str] = {
        **SHARED,
        **(SECURED if operation.get("security") else {}),
        **(PERSONAL if _scopes(operation) == {Scope.ME} else {}),
        **(WITH_BODY if "requestBody" in operation else {}),
        **(KEYED if keys else {}),
    }
    for status, meaning in shared.items():
        told.setdefault(status, {"description": meaning})
    for status, response in told.items():
        if status < REFUSED:
            continue
        if response["description"] == "Validation Error":
            response["description"] = SHARED["422"]
            response.pop("content")
        if PROBLEM in response.get("content", {PROBLEM: {}}):
            response["content"] = {PROBLEM: {"schema": {"$ref": REF.format(model="ProblemOut")}}}
