"""Media in: `upload` makes an id good for one message, `upload_to_vault` one that can be used again and again."""

import io
import secrets
from typing import Any

from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from sandbox import shapes
from sandbox.calls import Answer, Call, HttpError
from sandbox.world import World

KINDS = {"image": "photo", "video": "video", "audio": "audio"}


def upload(world: World, call: Call, account_id: str) -> Answer:
    name, media = _read_file(world, call)
    prefixed_id = f"ofapi_media_{secrets.token_hex(12)}"
    world.commit(("uploaded", {"account": account_id, "prefixed_id": prefixed_id, "media": media}))
    return Answer(
        200,
        {
            "prefixed_id": prefixed_id,
            "file_name": name,
            "processId": secrets.token_hex(10),
            "host": "convert1.onlyfans.com",
            "sourceUrl": f"https://of2transcoder.s3.amazonaws.com/upload/{prefixed_id}/{media['id']}",
            "extra": "",
            "additional": {"user": str(world.state.account(account_id).creator_id)},
            "thumbs": [],
        },
    )


def upload_to_vault(world: World, call: Call, account_id: str) -> Answer:
    _, media = _read_file(world, call)
    return shapes.enveloped(shapes.media(media))


def _read_file(world: World, call: Call) -> tuple[str, dict[str, Any]]:
    mimetype, options = parse_options_header(call.headers.get("Content-Type"))
    _, _, files = FormDataParser().parse(io.BytesIO(call.body), mimetype, len(call.body), options)
    file = files.get("file")
    if file is None or not file.filename or not file.read(1):
        message = "The file field is required when file url is not present."
        raise HttpError(422, {"message": message, "errors": {"file": [message]}})
    kind = KINDS.get((file.mimetype or "").partition("/")[0], "photo")
    return file.filename, {"id": world.state.next_id(), "type": kind}
