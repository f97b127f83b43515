import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, exists, select
from sqlalchemy.exc import IntegrityError

from app.database import db, fold, utcnow, write
from app.errors import Conflict, Invalid
from app.fans import placeholders
from app.quick_replies import queries
from app.quick_replies.models import QuickReply

LONGEST_CODE, LONGEST_TITLE, LONGEST_TEXT, LONGEST_FOLDER = 40, 200, 5000, 60
_CODE = re.compile(r"[^\W_](?:[^\W_]|-)*")
TAKEN = "Another reply has this code already: yours, a shared one, or somebody's own."


@dataclass(frozen=True)
class Wording:
    """What a person enters of a reply."""

    code: str
    title: str
    text: str
    folder: str = ""
    shared: bool = True


def add_reply(account_id: int, user_id: int, wording: Wording) -> QuickReply:
    """Raises Invalid, also where the code is taken."""
    wording = _checked(wording)
    reply = QuickReply(account_id=account_id, author_id=user_id, code="", title="", text="")
    with _taken_is_invalid(), write() as session:
        _word(reply, wording, user_id)
        session.add(reply)
    return reply


def change_reply(account_id: int, user_id: int, reply_id: int, wording: Wording, version: int) -> QuickReply:
    """version: the one that the person looked at.

    Raises NotFound, Invalid (also where the code is taken), Conflict where somebody changed it meanwhile.
    """
    wording = _checked(wording)
    with _taken_is_invalid(), write():
        reply = queries.find_reply(account_id, user_id, reply_id, to_change=True)
        if reply.version != version:
            raise Conflict("Somebody changed this reply while you had it open. Open it anew, then change it.")
        if reply.is_shared and not wording.shared and reply.author_id != user_id:
            raise Invalid(("shared", "Others use it: only who wrote it can take it back for themselves."))
        _word(reply, wording, user_id)
        reply.version, reply.updated_at = version + 1, utcnow()
    return reply


def _checked(wording: Wording) -> Wording:
    """Without blanks around it. Raises Invalid, naming each field."""
    code = unicodedata.normalize("NFC", wording.code.strip().removeprefix("/").casefold())
    wording = Wording(code, wording.title.strip(), wording.text.strip(), wording.folder.strip(), wording.shared)
    errors = [*_code_errors(code), *_text_errors(wording.text)]
    if not wording.title:
        errors.append(("title", "Give it a title, to find it again."))
    if len(wording.title) > LONGEST_TITLE:
        errors.append(("title", f"At most {LONGEST_TITLE} characters."))
    if len(wording.folder) > LONGEST_FOLDER:
        errors.append(("folder", f"At most {LONGEST_FOLDER} characters."))
    if errors:
        raise Invalid(*errors)
    return wording


def _code_errors(code: str) -> Iterator[tuple[str, str]]:
    if not _CODE.fullmatch(code):
        yield "code", "Letters, digits and dashes, beginning with a letter or digit, for example: hi or price-list."
    elif len(code) > LONGEST_CODE:
        yield "code", f"At most {LONGEST_CODE} characters."


def _text_errors(text: str) -> Iterator[tuple[str, str]]:
    if not text:
        yield "text", "Write what it puts into an answer."
    if len(text) > LONGEST_TEXT:
        yield "text", f"A text has at most {LONGEST_TEXT:,} characters, this one has {len(text):,}."
    if unknown := placeholders.parse(text).unknown:
        known = ", ".join("{{" + name + "}}" for name in placeholders.NAMES)
        said = f"{', '.join(unknown)} {'is' if len(unknown) == 1 else 'are'} not known. Known are {known}."
        yield "text", f"{said} To write braces as they are, put \\ before them."


def _word(reply: QuickReply, wording: Wording, user_id: int) -> None:
    """Does not commit."""
    reply.code, reply.title, reply.text, reply.folder = wording.code, wording.title, wording.text, wording.folder
    reply.owner_id = None if wording.shared else user_id
    reply.search_text = fold("\n".join((wording.code, wording.title, wording.text)))


def delete_reply(account_id: int, user_id: int, reply_id: int) -> QuickReply:
    """It can be brought back until it is forgotten. Raises NotFound."""
    with write():
        reply = queries.find_reply(account_id, user_id, reply_id)
        reply.deleted_at = utcnow()
    return reply


def restore_reply(account_id: int, user_id: int, reply_id: int) -> QuickReply:
    """Raises NotFound, or Invalid where another reply has its code by now."""
    with _taken_is_invalid(), write():
        reply = queries.find_reply(account_id, user_id, reply_id, deleted=True)
        reply.deleted_at = None
    return reply


def forget_deleted(before: datetime) -> None:
    """For the sweep: what was deleted before that moment goes for good."""
    old = QuickReply.deleted_at < before
    if db.session.scalar(select(exists().where(old))):
        with write() as session:
            session.execute(delete(QuickReply).where(old).execution_options(synchronize_session=False))


@contextmanager
def _taken_is_invalid() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise Invalid(("code", TAKEN)) from error
