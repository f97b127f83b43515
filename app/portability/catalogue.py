"""What an account is made of: every table, in the order that rows need each other, and what stays behind with its reason.

Held complete by a test: a table or a reference that is named nowhere here fails it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table

from app.campaigns.models import Campaign, Recipient, Stay
from app.conversations.desk_models import Assignment, LaterReply, Note, ReadMarker, SavedDraft
from app.conversations.models import Conversation, Message, MessageMedium, SavedView, SendAttempt
from app.database import Base, table_of
from app.fans.models import Fan, FanTag
from app.imports.models import Import, ImportRow, RememberedMapping
from app.media.models import Medium
from app.money.models import Attribution, Transaction
from app.platforms.models import Connection, StoredEvent
from app.portability.references import Map, in_aim, in_attachments, in_audience, in_import_row, in_medium, in_rule
from app.quick_replies.models import QuickReply
from app.segments.models import Segment

CLOCK, STATE, SECRET = "ticks of this instance's clock", "how work stands here", "a secret"
DERIVED, OWN_FILES = "drawn from the text anew", "where the file lies here"


@dataclass(frozen=True)
class Part:
    """One table in an export, a file of its name."""

    model: type[Base]
    stays: dict[str, str] = field(default_factory=dict)  # columns that do not leave, and why
    points_at: dict[str, str] = field(default_factory=dict)  # columns with ids of a table that no foreign key names
    holds: dict[str, Callable[[Any, Map], Any]] = field(default_factory=dict)  # columns with ids inside

    @property
    def table(self) -> Table:
        return table_of(self.model)

    @property
    def name(self) -> str:
        return str(self.table.name)

    @property
    def columns(self) -> list[str]:
        """What a line holds. The account is the file's own."""
        return [str(each.name) for each in self.table.columns if each.name not in {*self.stays, "account_id"}]

    @property
    def references(self) -> dict[str, str]:
        """Columns that hold ids, each with the table whose they are."""
        keys = {
            str(column.name): str(key.column.table.name)
            for column in self.table.columns
            for key in column.foreign_keys
            if column.name in self.columns
        }
        own = {"id": self.name} if "id" in self.columns else {}
        return own | keys | self.points_at

    def rewrite(self, row: dict[str, Any], new: Map) -> dict[str, Any]:
        """The row with each id that it holds as `new(table, id)` says."""
        for column, table in self.references.items():
            if row[column] is not None:
                row[column] = new(table, row[column])
        for column, walk in self.holds.items():
            if row[column] is not None:
                row[column] = walk(row[column], new)
        return row


_SENDING = dict.fromkeys(
    ("status", "status_detail", "wakes_on_answer", "faults_in_a_row", "slow_percent", "sync_offset", "sync_moved_at"), STATE
)  # fmt: skip
PARTS = (
    Part(Connection, _SENDING | {
        "api_key": SECRET, "webhook_secret": SECRET, "due_tick": CLOCK, "held_tick": CLOCK, "slowed_tick": CLOCK,
        "cap_day": STATE, "cap_count": STATE,
    }),
    Part(Medium, {"file": OWN_FILES, "store": OWN_FILES, "discard_at": STATE}),
    Part(Import, {"stored_file": OWN_FILES, "tries": STATE, "lease": STATE, "lease_until": STATE, "cursor": STATE}),
    Part(RememberedMapping),
    Part(Segment, holds={"rule": in_rule}),
    Part(QuickReply),
    Part(Fan, points_at={"import_id": "imports"}),
    Part(FanTag),
    Part(
        Campaign, {"draft_window": "an open form here"},
        holds={"attachments": in_attachments, "audience": in_audience, "aim": in_aim},
    ),
    Part(Conversation, points_at={"last_message_id": "messages"}),
    Part(Message, {"search_text": DERIVED, "due_tick": CLOCK, "lease_tick": CLOCK}, holds={"attachments": in_attachments}),
    Part(MessageMedium, holds={"medium": in_medium}),
    Part(SendAttempt, {"started_tick": CLOCK, "answered_tick": CLOCK, "sender_id": STATE}),
    Part(Recipient),
    Part(Stay),
    Part(Transaction, points_at={"import_id": "imports"}),
    Part(Attribution),
    Part(Assignment),
    Part(Note),
    Part(SavedDraft, holds={"attachments": in_attachments}),
    Part(ReadMarker, points_at={"message_id": "messages"}),
    Part(LaterReply, holds={"attachments": in_attachments}),
    Part(SavedView),
    Part(StoredEvent),
    Part(
        ImportRow, points_at={"import_id": "imports", "fan_id": "fans"},
        holds={"after": in_import_row, "before": in_import_row},
    ),
)  # fmt: skip
IN_OTHER_WORDS = {
    "accounts": "the manifest",
    "users": "people.jsonl, without passwords",
    "memberships": "people.jsonl: the role",
}
LEFT_BEHIND = {
    "api_tokens": "programs sign in anew",
    "sign_ins": "people sign in anew",
    "recovery_codes": "a secret of this instance",
    "invitations": "a secret of this instance",
    "password_resets": "a secret of this instance",
    "idempotency_keys": "answers to calls that were made here",
    "bulk_actions": "taken back here, within a day",
    "bulk_action_rows": "taken back here, within a day",
    "room_events": "news for who watches; gone after a day",
    "audit_entries": "what was done here; its page gives it as CSV",
    "restores": "of this instance",
    "erased_names": "hashes that only this instance can make",
    "account_exports": "files of this very kind",
    "kept_stretches": "counted from the rows anew",
    "changed_stretches": "what is to be counted anew here",
    "senders": "processes of this instance",
    "clocks": "the clock of this machine",
}
STAYS_OF_ACCOUNT = {"id": "new in each instance", "inbox_seq": STATE}
