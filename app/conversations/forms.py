from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask import request
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # pyright: ignore[reportAttributeAccessIssue]  newer than its stubs
from wtforms.validators import Length, NumberRange, Optional

from app.conversations import before_sending, queries
from app.conversations.actions import LONGEST_TEXT
from app.conversations.desk_models import SavedDraft
from app.conversations.filters import Filter, view_of
from app.conversations.media_fields import WithMedia
from app.conversations.models import Message, new_key
from app.dollars import DollarField
from app.fans import placeholders
from app.paging import Order
from app.web import id_in


@dataclass(frozen=True)
class Sort:
    label: str
    order: Order


NEWEST = "newest"
SORTS = {
    NEWEST: Sort("Newest first", queries.NEWEST_FIRST),
    "waiting": Sort("Longest waiting first", queries.LONGEST_WAITING_FIRST),
    "spend": Sort("Highest spend first", queries.HIGHEST_SPEND_FIRST),
}
IN_ADDRESS = ("view", "search", "tag", "spent", "online", "sort")


def list_filter() -> Filter:
    """What the address says of the inbox's list; what makes no sense there is passed over."""
    said = {name: value.replace("\0", "").strip()[:200] for name, value in _said_in_address().items()}
    dollars = said["spent"]
    return Filter(
        view=said["view"],
        search=said["search"],
        tag=said["tag"],
        spent_cents=int(dollars) * 100 if dollars.isdecimal() and len(dollars) < 10 else None,
        online=said["online"] == "1",
    )


def list_sort() -> str:
    wanted = request.args.get("sort", "")
    return wanted if wanted in SORTS else NEWEST


def kept_in_address() -> dict[str, Any]:
    """The list stays as it is where one goes on to a thread, or comes back."""
    return {name: value for name, value in _said_in_address().items() if value}


def _said_in_address() -> dict[str, str]:
    """With the view in one spelling: a form names it once for each of its fields."""
    said = {name: request.args.get(name, "") for name in IN_ADDRESS}
    return said | {"view": view_of(" ".join(request.args.getlist("view")).split())}


class ComposerForm(WithMedia, FlaskForm):
    text = TextAreaField("Message", [Length(max=LONGEST_TEXT, message=f"At most {LONGEST_TEXT:,} characters.")])
    price = DollarField("Price ($)", [Optional(), NumberRange(0, 1_000_000, "Enter a price of 0 or more.")], places=2)
    client_message_id = HiddenField(default=new_key, validators=[Length(max=255)])
    mode = RadioField(
        "What it is", choices=[SelectChoice("reply", "Reply"), SelectChoice("note", "Note")], default="reply"
    )
    at = StringField()  # when it is to go, by name; nothing: now
    at_time = StringField("At", [Length(max=40)])
    even_if_answered = BooleanField("Even if they write first")
    seen = HiddenField()  # the newest message that was shown when this was sent
    agreed = HiddenField()  # what was to be sent as it is, in spite of which warnings
    agreement = ""
    placeholder_keys = " ".join(placeholders.KEYS)

    def seen_message_id(self) -> int | None:
        return 0 if self.seen.data == "0" else id_in(self.seen.data) or None  # 0: the thread was empty

    missed: Sequence[Message] = ()  # what others wrote, and its author had not seen

    def show_missed(self, messages: Sequence[Message]) -> None:
        """Having seen them, the same may be sent."""
        self.missed = messages
        self.seen.data = str(max(each.id for each in messages))

    @property
    def is_note(self) -> bool:
        return self.mode.data == "note"

    def clean_text(self) -> str:
        """As a browser's form sends it, with Unix line ends."""
        return (self.text.data or "").replace("\r\n", "\n").replace("\0", "")

    def unresolved(self) -> list[str]:
        return placeholders.written_in(self.clean_text())

    def is_agreed(self) -> bool:
        """Whether nothing speaks against sending, or the person has seen what does. Else it stands beside the text."""
        text = self.clean_text()
        warnings = before_sending.warnings_about(text)
        agreement = before_sending.agreement_to(text, warnings)
        if not warnings or self.agreed.data == agreement:
            return True
        self.agreement, self.text.errors = agreement, warnings
        return False


def composer_of(draft: SavedDraft | None) -> ComposerForm:
    """With what was begun, under the key that it was begun with."""
    if draft is None:
        return ComposerForm(formdata=None)
    form = ComposerForm(
        formdata=None,
        text=draft.text,
        price=Decimal(draft.price_cents) / 100 if draft.price_cents else None,
        mode="note" if draft.is_note else "reply",
        client_message_id=draft.client_message_id,
    )
    form.chosen = draft.attachments
    return form
