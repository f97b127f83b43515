"""The vendor's calls to register webhooks."""

import secrets
from typing import Any

from sandbox import clock, shapes
from sandbox.calls import Answer, Call, HttpError, read_json
from sandbox.webhooks import EVENTS
from sandbox.world import World

SCOPES = ("global", "inclusive", "exclusive")


def list_hooks(world: World, call: Call) -> Answer:
    return shapes.enveloped([_shape(hook) for hook in world.state.hooks.values()])


def list_events(world: World, call: Call) -> Answer:
    return shapes.enveloped([{"value": event, "description": event} for event in EVENTS])


def create_hook(world: World, call: Call) -> Answer:
    """The same endpoint_url registered again replaces what it had, under its old id."""
    given = _read(call, required=("endpoint_url", "events", "account_scope"))
    same = (hook for hook in world.state.hooks.values() if hook["url"] == given["url"])
    old = next(same, {"id": f"wh_{secrets.token_hex(8)}", "created_at": clock.iso(clock.now())})
    fresh = {"id": old["id"], "created_at": old["created_at"], "enabled": True, "signing_secret": None}
    return _save(world, {**fresh, **given})


def get_hook(world: World, call: Call, hook_id: str) -> Answer:
    return shapes.enveloped(_shape(_find(world, hook_id)))


def update_hook(world: World, call: Call, hook_id: str) -> Answer:
    return _save(world, {**_find(world, hook_id), **_read(call, required=())})


def delete_hook(world: World, call: Call, hook_id: str) -> Answer:
    _find(world, hook_id)
    world.commit(("unhooked", {"id": hook_id}))
    world.webhooks.remove(hook_id)
    return shapes.enveloped({"success": True})


def _save(world: World, hook: dict[str, Any]) -> Answer:
    world.commit(("hooked", {"hook": hook}))
    world.webhooks.register(hook)
    return shapes.enveloped(_shape(hook))


def _find(world: World, hook_id: str) -> dict[str, Any]:
    if hook_id not in world.state.hooks:
        raise HttpError(404, {"error": "NOT_FOUND", "message": "Webhook not found."})
    return world.state.hooks[hook_id]


def _shape(hook: dict[str, Any]) -> dict[str, Any]:
    return {
        **{k: v for k, v in hook.items() if k != "signing_secret"},
        "has_signing_secret": bool(hook["signing_secret"]),
    }


def _read(call: Call, required: tuple[str, ...]) -> dict[str, Any]:
    try:
        body = read_json(call.body)
    except ValueError as error:
        raise HttpError(400, {"error": "VALIDATION_ERROR", "message": "The body is not JSON."}) from error
    if not isinstance(body, dict):
        raise HttpError(400, {"error": "VALIDATION_ERROR", "message": "The body must be a JSON object."})
    errors = {name: [f"The {name} field is required."] for name in required if name not in body}
    errors |= {name: [f"The {name} field is invalid."] for name, value in body.items() if not _fits(name, value)}
    if errors:
        raise HttpError(422, {"message": next(iter(errors.values()))[0], "errors": errors})
    return _settings(body)


def _fits(name: str, value: Any) -> bool:
    match name:
        case "endpoint_url":
            return isinstance(value, str) and value.startswith(("http://", "https://"))
        case "events":
            return _is_list_of_text(value) and bool(value) and set(value) <= set(EVENTS)
        case "account_scope":
            return value in (*SCOPES, "all") or _is_list_of_text(value)
        case "account_ids":
            return _is_list_of_text(value)
        case "signing_secret":
            return value is None or isinstance(value, str)
        case "enabled":
            return isinstance(value, bool)
    return True


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _settings(body: dict[str, Any]) -> dict[str, Any]:
    """The vendor's scope is a word and a list beside it; a bare list of accounts, or "all", is taken as well."""
    settings = {name: body[name] for name in ("events", "signing_secret", "enabled") if name in body}
    if "endpoint_url" in body:
        settings["url"] = body["endpoint_url"]
    scope = body.get("account_scope")
    if isinstance(scope, list):
        settings |= {"account_scope": "inclusive", "account_ids": scope}
    elif scope is not None:
        settings |= {"account_scope": "global" if scope == "all" else scope, "account_ids": body.get("account_ids", [])}
    return settings
