"""A person is forgotten, and the books stay true: amounts, dates and counts stay with a fan who has no name.

What they wrote and what was written to them goes, with all that says who they are, wherever it was kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import String, Text, cast, delete, func, or_, select, text, update

from app.accounts import auditing
from app.accounts.auditing import Act
from app.accounts.models import IdempotencyKey
from app.campaigns.models import Recipient
from app.conversations import live
from app.conversations.desk_models import LaterReply, Note, SavedDraft
from app.conversations.models import Conversation, Message, MessageMedium, MessageStatus, SendAttempt
from app.database import contains, db, execute, on_postgresql, utcnow, write
from app.errors import Conflict
from app.fans import keys, queries
from app.fans.erased import remember_erased
from app.fans.models import Fan, FanTag
from app.imports.models import Import, ImportRow
from app.money.models import Transaction
from app.platforms.models import StoredEvent
from app.portability import actions, files

ERASED = "The fan was erased"
NOTHING: dict[str, Any] = {
    "handle": None, "email": None, "phone": None, "avatar_url": None, "platform_fan_id": None, "notes": "",
    "subscription_status": None, "subscribed_at": None, "subscription_ends_at": None, "last_seen_at": None,
    "timezone": None, "custom": {}, "do_not_message": True,
}  # fmt: skip

KEYS = frozenset({"id", "userid", "fanid", "username", "handle", "email", "phone", "platform_fan_id"})


@dataclass(frozen=True)
class Consequences:
    """What erasing would do, counted."""

    messages: int
    waiting: int
    notes: int
    payments: int
    campaigns: int


def consequences(fan: Fan) -> Consequences:
    theirs = Message.fan_id == fan.id
    threads = select(Conversation.id).where(Conversation.fan_id == fan.id)
    return Consequences(
        messages=_count(theirs),
        waiting=_count(theirs & (Message.status == MessageStatus.QUEUED)),
        notes=_count(Note.conversation_id.in_(threads)),
        payments=_count((Transaction.account_id == fan.account_id) & (Transaction.fan_id == fan.id)),
        campaigns=_count(Recipient.fan_id == fan.id),
    )


def _count(which: Any) -> int:
    return db.session.scalar(select(func.count()).where(which)) or 0


def erase_fan(account_id: int, fan_id: int) -> Fan:
    """For good. Raises NotFound, or Conflict while a message to them is on its way."""
    with write() as session:
        fan = queries.find_fan(account_id, fan_id)
        session.refresh(fan, with_for_update=True)
        on_its_way = (Message.fan_id == fan.id) & (Message.status == MessageStatus.SENDING)
        if session.scalar(select(Message.id).where(on_its_way).limit(1)):
            raise Conflict("A message to this fan is on its way just now. Wait a minute, then erase them.")
        person = _person(fan)
        threads = list(session.scalars(select(Conversation.id).where(Conversation.fan_id == fan.id)))
        remember_erased(fan)
        _empty_messages(fan)
        for model in (Note, SavedDraft, LaterReply):
            execute(delete(model).where(model.conversation_id.in_(threads)))
        _empty_events(account_id, person)
        _empty_imports(fan, person)
        _forget_answers(fan, person.names)
        _empty_profile(fan)
        _empty_index()
        exported = actions.withdraw(account_id)
        auditing.record(account_id, Act.FAN_ERASED, "fan", fan_id)
        noted = [news for thread_id in threads for news in live.note_conversation(account_id, thread_id)]
    files.remove(exported)
    live.tell(noted)
    return fan


@dataclass(frozen=True)
class _Person:
    """What tells who they are, in files and in what platforms sent; without case. Others may have the same name."""

    keys: frozenset[str]
    name: str

    @property
    def names(self) -> set[str]:
        return {*self.keys, self.name} - {""}

    def is_told_of(self, *parts: Any, by_name: bool = True) -> bool:
        said = {each.casefold() for part in parts for each in _texts_in(part)}
        if self.keys & said:
            return True
        return by_name and self.name in said and not any(map(self._names_a_namesake, parts))

    def _names_a_namesake(self, value: Any) -> bool:
        """Beside the name stands somebody else's key."""
        if isinstance(value, list):
            return any(map(self._names_a_namesake, value))
        if not isinstance(value, dict):
            return False
        is_named = self.name in {str(each).casefold() for each in value.values()}
        has_key = any(each and name.casefold() in KEYS for name, each in value.items())
        return (is_named and has_key) or any(map(self._names_a_namesake, value.values()))


def _person(fan: Fan) -> _Person:
    handle = (fan.handle or "").lstrip("@")
    said = fan.platform_fan_id, handle, handle and f"@{handle}", fan.email, fan.phone
    return _Person(frozenset(each.casefold() for each in said if each), (fan.name or "").casefold())


def _empty_messages(fan: Fan) -> None:
    """Their ids on the platform stay: by them a chat that is read again is known, and brings nothing back."""
    theirs = Message.fan_id == fan.id
    attempts = SendAttempt.message_id.in_(select(Message.id).where(theirs))
    execute(update(SendAttempt).where(attempts).values(detail=""))
    waiting = theirs & (Message.status == MessageStatus.QUEUED)
    execute(update(Message).where(waiting).values(status=MessageStatus.CANCELLED, changed_at=utcnow()))
    nothing = {"text": "", "search_text": "", "attachments": [], "platform_media": None, "client_message_id": None}
    execute(update(Message).where(theirs).values(status_reason=None, **nothing))
    execute(update(Message).where(theirs, Message.status == MessageStatus.CANCELLED).values(status_reason=ERASED))
    execute(delete(MessageMedium).where(MessageMedium.fan_id == fan.id))


def _empty_events(account_id: int, person: _Person) -> None:
    """What platforms told of them. One not handled yet is left: it is about something new."""
    told = cast(StoredEvent.body, Text)
    maybe = select(StoredEvent).where(
        StoredEvent.account_id == account_id, StoredEvent.handled_at.is_not(None), _mentions(told, person.names)
    )
    for event in db.session.scalars(maybe):
        if person.is_told_of(event.body):
            event.body = {}


def _empty_imports(fan: Fan, person: _Person) -> None:
    """Rows of files go; the file's counts stay. Undoing the file later leaves this fan as they are then."""
    theirs = [ImportRow.fan_id == fan.id] + [
        _mentions(cast(column, Text), person.names) for column in (ImportRow.cells, ImportRow.after, ImportRow.before)
    ]
    own = select(Import.id).where(Import.account_id == fan.account_id)
    maybe = select(ImportRow).where(ImportRow.import_id.in_(own), or_(*theirs))
    imports = list(db.session.scalars(select(Import).where(Import.account_id == fan.account_id)))
    fields = {each.id: _fields_of(each) for each in imports}
    for row in db.session.scalars(maybe):
        cells = [{fields[row.import_id].get(at, str(at)): cell for at, cell in enumerate(row.cells or [])}]
        is_told_of = person.is_told_of(cells, row.after, row.before, by_name=row.fan_id is None)
        if row.fan_id == fan.id or is_told_of:
            db.session.delete(row)
    for found in imports:
        if person.names & {each.casefold() for each in _texts_in(found.options.get("samples"))}:
            found.options = found.options | {"samples": [], "questions": []}


def _fields_of(found: Import) -> dict[int, str]:
    """What each column of the file was read as."""
    return {each["index"]: each["field"] for each in found.options.get("plan", {}).get("columns", [])}


def _forget_answers(fan: Fan, names: set[str]) -> None:
    """Answers that are kept for programs which ask again."""
    said = func.coalesce(IdempotencyKey.body, "")
    about = [said.contains(f'"fanId":{fan.id},'), said.contains(f'"fanId":{fan.id}' + "}"), _mentions(said, names)]
    execute(delete(IdempotencyKey).where(IdempotencyKey.account_id == fan.account_id, or_(*about)))


def _empty_profile(fan: Fan) -> None:
    execute(delete(FanTag).where(FanTag.fan_id == fan.id))
    nameless = NOTHING | {"name": f"Erased fan {fan.id}", "updated_at": utcnow()}
    nameless |= keys.keys_of(nameless["name"], None, None)
    execute(update(Fan).where(Fan.id == fan.id).values(**nameless))
    db.session.expire(fan)


def _empty_index() -> None:
    """SQLite's index keeps words that were taken out until its parts are joined."""
    if not on_postgresql():
        db.session.execute(text("INSERT INTO message_words (message_words) VALUES ('optimize')"))


def _mentions(column: Any, names: set[str]) -> Any:
    """As JSON keeps it: letters beyond ASCII are escaped there."""
    lower = func.lower(cast(column, String))
    written = {form for name in names for form in (name, name.encode("ascii", "backslashreplace").decode())}
    return or_(*(contains(lower, each) for each in sorted(written))) if written else text("1 = 0")


def _texts_in(value: Any) -> Iterator[str]:
    """All texts and numbers, however deep."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _texts_in(each)
    elif isinstance(value, str | int):
        yield str(value)
