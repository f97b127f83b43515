"""All that is kept about one person, as a file for them: what the law calls a copy of their data."""

import json
import zipfile
from typing import IO, Any

from sqlalchemy import Select, select

from app.campaigns.models import Campaign
from app.conversations.models import Conversation, MessageMedium
from app.database import db, utcnow
from app.fans.models import Fan
from app.media import queries as media
from app.media import stores
from app.media.actions import OWN, read_medium
from app.portability.catalogue import PARTS, Part

READ_ME = """All that is kept about this person.

fan.json holds a list for each kind of thing: the profile, tags, conversations, messages both ways, what each message
carried, payments, campaigns and why they were in them or not, notes, drafts and answers for later, and the rows of files
that told of them. Times are in UTC, amounts in cents. media/ holds the files that were sent to them.
"""


def write_fan_file(fan: Fan, into: IO[bytes]) -> None:
    """A zip."""
    about: dict[str, Any] = {"exported_at": utcnow().isoformat()}
    about |= {part.name: _rows(part, fan) for part in PARTS if _of_fan(part, fan) is not None}
    names = select(Campaign.id, Campaign.name).where(Campaign.account_id == fan.account_id)
    called = {row.id: row.name for row in db.session.execute(names)}
    for recipient in about["recipients"]:
        recipient["campaign"] = called.get(recipient["campaign_id"])
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("READ ME.txt", READ_ME)
        file.writestr("fan.json", json.dumps(about, indent=2, ensure_ascii=False, default=_as_text))
        _write_media(fan, file)


def _of_fan(part: Part, fan: Fan) -> Any:
    """Which rows of a table are about the fan; None where none can be."""
    table = part.table
    if part.model is Fan:
        return table.c.id == fan.id
    if "fan_id" in table.c:
        return table.c.fan_id == fan.id
    if "conversation_id" in table.c:
        return table.c.conversation_id.in_(select(Conversation.id).where(Conversation.fan_id == fan.id))
    return None


def _rows(part: Part, fan: Fan) -> list[dict[str, Any]]:
    found: Select[Any] = select(*(part.table.c[name] for name in part.columns)).where(_of_fan(part, fan))
    found = found.where(part.table.c.account_id == fan.account_id).order_by(*part.table.primary_key.columns)
    return [dict(row) for row in db.session.execute(found).mappings()]


def _write_media(fan: Fan, file: zipfile.ZipFile) -> None:
    got = select(MessageMedium.medium).where(MessageMedium.fan_id == fan.id).distinct()
    ids = [int(own[1]) for medium in db.session.scalars(got) if (own := OWN.fullmatch(medium))]
    kept = media.media_of(fan.account_id).where(media.Medium.id.in_(ids))
    for medium in db.session.scalars(kept):
        try:
            chunks = read_medium(medium, 0, medium.size)
        except stores.FileGone:
            continue
        with file.open(f"media/{medium.id}-{medium.name.replace('/', '_')}", "w", force_zip64=True) as lines:
            for chunk in chunks:
                lines.write(chunk)


def _as_text(value: Any) -> str:
    return value.isoformat()
