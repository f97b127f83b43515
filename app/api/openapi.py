"""The OpenAPI document, completed with what holds for every call: sign-in, the errors, the keys, the files."""

from typing import Any

from apiflask import APIFlask

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "requestId": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
ERRORS = {
    "400": "Malformed or invalid; `errors` names the fields.",
    "401": "Not signed in.",
    "403": "The role does not allow it.",
    "404": "There is no such thing in this account.",
    "409": "The state does not allow it.",
    "413": "Too large.",
    "415": "The wrong type of body or file.",
    "422": "A key that was used with another body.",
    "429": "Too many; `Retry-After` says when to try again.",
}
FILE_FORMS = {
    "/api/media": {},
    "/api/onlyfans/import": {"encoding": {"type": "string"}},
    "/api/onlyfans/import/csv": {
        "kind": {"type": "string", "enum": ["fans", "transactions", "do-not-message"]},
        "invalid": {"type": "string", "enum": ["reject", "warn"]},
        "dateOrder": {"type": "string", "enum": ["dmy", "mdy", "ymd"]},
        "decimal": {"type": "string"},
        "unit": {"type": "string", "enum": ["units", "cents"]},
        "currency": {"type": "string"},
        "timezone": {"type": "string"},
        "encoding": {"type": "string"},
    },
}
OPEN_CALLS = {"/api/auth/token": ("post",)}
METHODS = ("get", "post", "put", "delete")


def init_app(app: APIFlask) -> None:
    app.config["VALIDATION_ERROR_STATUS_CODE"] = 400
    app.security_schemes = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    app.spec_processor(_complete)


def _complete(spec: Any) -> Any:
    spec["components"].setdefault("schemas", {})["Problem"] = PROBLEM
    for path, calls in spec["paths"].items():
        for method in METHODS:
            if method in calls:
                _complete_call(path, method, calls[method])
    return spec


def _complete_call(path: str, method: str, call: dict[str, Any]) -> None:
    is_open = method in OPEN_CALLS.get(path, ())
    if not is_open:
        call["security"] = [{"bearer": []}]
    for status in _possible_errors(path, method):
        call["responses"][status] = {
            "description": ERRORS[status],
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    if method == "post" and not is_open:
        call.setdefault("parameters", []).append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x20-\\x7e]+$"},
            }
        )
    if path in FILE_FORMS and method == "post":
        call["requestBody"] = _file_form(FILE_FORMS[path])


def _possible_errors(path: str, method: str) -> list[str]:
    possible = ["400", "401"]
    if "{" in path or method == "post":
        possible.append("404")
    if method != "get":
        possible += ["403", "409", "413", "415", "422", "429"]
    return possible


def _file_form(fields: dict[str, Any]) -> dict[str, Any]:
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    form = {"type": "object", "required": ["file"], "properties": {"file": file, **fields}}
    return {"required": True, "content": {"multipart/form-data": {"schema": form | {"additionalProperties": False}}}}
