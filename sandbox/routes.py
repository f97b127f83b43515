"""Which call goes where, and who may make it."""

import re

from sandbox import control, hooks, sending, uploads, vendor
from sandbox.calls import Answer, Call, Handler, HttpError
from sandbox.world import World

CHAT = r"/api/(acct_[A-Za-z0-9_]+)/chats/([0-9]{1,19})"
ACCOUNT = r"/api/(acct_[A-Za-z0-9_]+)"
FAN = r"/sandbox/fans/([^/]+)"

# Most called first.
ROUTES: list[tuple[re.Pattern[str], dict[str, Handler]]] = [
    (re.compile(path), handlers)
    for path, handlers in [
        (rf"{CHAT}/messages", {"POST": sending.send, "GET": vendor.list_messages}),
        (rf"{CHAT}/messages/([0-9]{{1,19}})", {"GET": vendor.get_message, "DELETE": vendor.delete_message}),
        (rf"{CHAT}/typing", {"POST": vendor.show_typing}),
        (rf"{CHAT}/mark-as-read", {"POST": vendor.mark_as_read}),
        (rf"{ACCOUNT}/chats", {"GET": vendor.list_chats}),
        (rf"{ACCOUNT}/fans/(all|active|expired)", {"GET": vendor.list_fans}),
        (rf"{ACCOUNT}/transactions", {"GET": vendor.list_transactions}),
        (rf"{ACCOUNT}/media/upload", {"POST": uploads.upload}),
        (rf"{ACCOUNT}/media/vault", {"POST": uploads.upload_to_vault}),
        (r"/api/accounts", {"GET": vendor.list_accounts}),
        (r"/api/webhooks", {"GET": hooks.list_hooks, "POST": hooks.create_hook}),
        (r"/api/webhooks/events", {"GET": hooks.list_events}),
        (
            r"/api/webhooks/(wh_[0-9a-f]+)",
            {"GET": hooks.get_hook, "PUT": hooks.update_hook, "DELETE": hooks.delete_hook},
        ),
        (r"/sandbox/?", {"GET": control.index}),
        (r"/sandbox/health", {"GET": control.health}),
        (r"/sandbox/sends", {"GET": control.list_sends, "DELETE": control.forget_sends}),
        (r"/sandbox/stats", {"GET": control.stats}),
        (r"/sandbox/faults", {"GET": control.show_faults, "PUT": control.put_faults}),
        (r"/sandbox/autoplay", {"GET": control.show_autoplay, "PUT": control.put_autoplay}),
        (r"/sandbox/webhooks/redeliver", {"POST": control.redeliver}),
        (rf"{FAN}/say", {"POST": control.say}),
        (rf"{FAN}/write", {"POST": control.write}),
        (rf"{FAN}/buy", {"POST": control.buy}),
        (rf"{FAN}/tip", {"POST": control.tip}),
        (rf"{FAN}/open", {"POST": control.open_messages}),
        (rf"{FAN}/subscribe", {"POST": control.subscribe}),
    ]
]
UNAUTHORIZED = {"error": "Unauthorized. Go to https://app.onlyfansapi.com/api-keys to create an API key."}


def answer(world: World, call: Call) -> Answer:
    try:
        if call.path.startswith("/api"):
            _authorize(call)
        handler, parts = _find(call)
        if handler is sending.send:
            return handler(world, call, *parts)
        with world.lock:
            return handler(world, call, *parts)
    except HttpError as error:
        return error.answer


def _authorize(call: Call) -> None:
    scheme, _, key = call.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.startswith("sandbox-") or key == "sandbox-expired":
        raise HttpError(401, UNAUTHORIZED)


def _find(call: Call) -> tuple[Handler, tuple[str, ...]]:
    for path, handlers in ROUTES:
        if match := path.fullmatch(call.path):
            if call.method not in handlers:
                allowed = {"Allow": ", ".join(handlers)}
                raise HttpError(405, {"error": "METHOD_NOT_ALLOWED", "message": "Method not allowed."}, allowed)
            return handlers[call.method], match.groups()
    raise HttpError(404, {"error": "NOT_FOUND", "message": "Not found."})
