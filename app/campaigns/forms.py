import re
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    FieldList,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice  # pyright: ignore[reportAttributeAccessIssue]  newer than its stubs
from wtforms.validators import Length, NumberRange, Optional

from app.accounts.guard import account
from app.campaigns.aims import ALL, Aim, aims_offered, find_aim
from app.campaigns.drafting import Composition
from app.campaigns.models import TYPES, Campaign, LatePolicy, Trigger
from app.conversations.actions import LONGEST_TEXT
from app.conversations.guards import Guards
from app.conversations.media_fields import WithMedia
from app.conversations.models import new_key
from app.conversations.sending_later import local_time
from app.dollars import DollarField
from app.errors import Invalid
from app.zones import find_zone

LONGEST_PAUSE_HOURS = 24 * 90
MOST_WORDINGS = 10
NOW, LATER = "now", "later"
AUTOMATIC = (Trigger.SUBSCRIPTION, Trigger.SEGMENT, Trigger.PURCHASE)
_KEY = re.compile(r"[0-9a-f]{32}")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def _whole(label: str, least: int, most: int, **more: Any) -> IntegerField:
    return IntegerField(label, [Optional(), NumberRange(least, most, f"From {least:,} to {most:,}.")], **more)


class CampaignForm(WithMedia, FlaskForm):
    """Every part of it may be wrong and is kept all the same, but for what is wrong."""

    key = HiddenField(default=new_key)
    window = HiddenField(default=new_key)
    since = HiddenField(default="")
    name = StringField("Name", [Length(max=255)])
    type = SelectField("Type", choices=[SelectChoice(*each) for each in TYPES.items()], default="bulk_message")
    audience = SelectField("Who gets it", default=ALL)
    text = TextAreaField("Message", [Length(max=LONGEST_TEXT, message=f"At most {LONGEST_TEXT:,} characters.")])
    wordings = FieldList(TextAreaField("Another wording", [Length(max=LONGEST_TEXT)]), max_entries=MOST_WORDINGS)
    price = DollarField("Price ($)", [Optional(), NumberRange(0, 1_000_000, "Enter a price of 0 or more.")], places=2)
    priority = _whole("Priority", 1, 10, default=5)
    unanswered = BooleanField("Leave out whose own message waits for an answer")
    messaged_within_hours = _whole("Leave out whom you wrote to in the last … hours", 1, LONGEST_PAUSE_HOURS)
    had_media = BooleanField("Leave out who saw or bought one of the files")
    per_week = _whole("Campaign messages to one fan in a week, at most", 1, 100)
    quiet_from = StringField("Nothing goes out from")
    quiet_to = StringField("to")
    quiet_zone = RadioField(
        "By which clock",
        choices=[SelectChoice("fan", "The fan's, where it is known"), SelectChoice("account", "Yours")],
        default="fan",
    )
    holdout_percent = _whole("Hold back … % to compare", 0, 50)
    at_most = _whole("Stop after … messages", 1, 10_000_000)
    stop_time = StringField("Stop at")
    when = RadioField(
        "When",
        choices=[
            SelectChoice(NOW, "Now"),
            SelectChoice(LATER, "At a time"),
            SelectChoice(Trigger.SUBSCRIPTION.value, "By itself, when a fan subscribes"),
            SelectChoice(Trigger.SEGMENT.value, "By itself, when a fan comes into the audience"),
            SelectChoice(Trigger.PURCHASE.value, "By itself, after a fan buys or tips"),
        ],
        default=NOW,
    )
    send_time = StringField("Send at")
    late_policy = RadioField(
        "If nothing runs at that time",
        choices=[
            SelectChoice(LatePolicy.ASK.value, "Ask me"),
            SelectChoice(LatePolicy.SEND.value, "Send it late, up to so many hours"),
            SelectChoice(LatePolicy.SKIP.value, "Skip it"),
        ],
        default=LatePolicy.ASK.value,
    )
    late_hours = _whole("Hours late, at most", 1, 24 * 14, default=6)
    delay_from = _whole("Minutes after it, from", 0, 60 * 24 * 30, default=0)
    delay_to = _whole("to, at random", 0, 60 * 24 * 30, default=0)
    again_after_days = _whole("To the same fan again after … days", 0, 3650)
    stop_on_answer = BooleanField("Not to who writes before it is sent", default=True)
    test_fan = StringField("Handle of the fan", [Length(max=200)])

    def validate_key(self, field: HiddenField) -> None:
        if not _KEY.fullmatch(field.data or ""):
            raise ValidationError("Reload the page.")

    def validate_audience(self, _: SelectField) -> None:
        if self.aim.wrong:
            raise ValidationError(self.aim.wrong)

    def validate_quiet_from(self, field: StringField) -> None:
        if bool(field.data) != bool(self.quiet_to.data):
            raise ValidationError("Say from when and to when.")
        if field.data and not (_CLOCK.fullmatch(field.data) and _CLOCK.fullmatch(self.quiet_to.data or "")):
            raise ValidationError("Write times like 22:00.")

    def validate_send_time(self, field: StringField) -> None:
        if self.when.data == LATER:
            self.scheduled_at = _moment(field)

    def validate_stop_time(self, field: StringField) -> None:
        self.stop_at = _moment(field) if field.data else None

    def validate_delay_to(self, field: IntegerField) -> None:
        if (field.data or 0) < (self.delay_from.data or 0):
            raise ValidationError("Not less than it begins with.")

    aim: Aim  # what the chosen audience means, also of one that is no longer there
    scheduled_at: datetime | None = None
    stop_at: datetime | None = None

    @property
    def is_begun(self) -> bool:
        """Something is written or chosen that is worth keeping."""
        return bool(self.name.data or self.text.data or self.chosen or any(each.data for each in self.wordings))

    @property
    def trigger(self) -> str:
        return self.when.data if self.when.data in AUTOMATIC else Trigger.NONE

    @cached_property
    def composition(self) -> Composition:
        """What it says, after `validate`; of what is wrong, nothing. What an action complains of later, it says all the same."""

        def sound(field: Any, otherwise: Any = None) -> Any:
            return otherwise if field.errors or field.data is None else field.data

        delay = [sound(self.delay_from, 0), sound(self.delay_to, 0)]
        return Composition(
            name=sound(self.name, "").replace("\0", "").strip(),
            type=sound(self.type, "bulk_message"),
            aim=self.aim.key,
            content=_clean(sound(self.text, "")),
            wordings=[text for each in self.wordings if (text := _clean(sound(each, ""))).strip()],
            price_cents=0 if self.price.errors else self.price_cents(),
            attachments=[] if self.files.errors else self.attachments(),
            priority=sound(self.priority, 5),
            guards=self._guards(sound),
            holdout_percent=sound(self.holdout_percent, 0),
            at_most=sound(self.at_most),
            stop_at=self.stop_at,
            scheduled_at=self.scheduled_at,
            late_policy=sound(self.late_policy, LatePolicy.ASK),
            late_hours=sound(self.late_hours, 6),
            trigger=self.trigger,
            delay_minutes=delay if self.trigger and delay[0] <= delay[1] else [0, 0],
            again_after_days=sound(self.again_after_days) if self.trigger else None,
        )

    def _guards(self, sound: Any) -> Guards:
        is_quiet = bool(self.quiet_from.data) and not self.quiet_from.errors
        return Guards(
            unanswered=bool(self.unanswered.data),
            messaged_within_hours=sound(self.messaged_within_hours),
            had_media=bool(self.had_media.data),
            per_week=sound(self.per_week),
            quiet_from=(self.quiet_from.data or "") if is_quiet else "",
            quiet_to=(self.quiet_to.data or "") if is_quiet else "",
            quiet_zone=sound(self.quiet_zone, "fan"),
            until_answer=bool(self.trigger and self.stop_on_answer.data),
        )


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\0", "")


def _moment(field: StringField) -> datetime:
    try:
        return local_time(field.data or "", account.timezone)
    except Invalid as error:
        raise ValidationError(error.errors[0][1]) from error


def form_for(campaign: Campaign | None = None, chosen: str = "") -> CampaignForm:
    """Empty, or as the campaign stands."""
    values = _values(campaign) if campaign else {}
    if chosen:
        values["audience"] = chosen
    form = CampaignForm(**values)
    form.aim = find_aim(account.id, form.audience.data or "")
    form.audience.data = form.aim.key
    form.audience.errors = [form.aim.wrong] if form.aim.wrong else []
    choices: dict[str, list[SelectChoice]] = {}
    for aim in aims_offered(account.id, form.aim):
        choices.setdefault(aim.group, []).append(SelectChoice(aim.key, aim.label))
    form.audience.choices = choices
    if campaign:
        form.chosen, form.scheduled_at, form.stop_at = campaign.attachments, campaign.scheduled_at, campaign.stop_at
    return form


def _values(campaign: Campaign) -> dict[str, Any]:
    guards = Guards.of(campaign.guards)
    return {
        "key": campaign.draft_key, "since": campaign.draft_window or "", "name": campaign.name, "type": campaign.type,
        "audience": campaign.aim,
        "text": campaign.content, "wordings": campaign.wordings, "priority": campaign.priority,
        "price": Decimal(campaign.price_cents) / 100 if campaign.price_cents else None,
        "unanswered": guards.unanswered, "messaged_within_hours": guards.messaged_within_hours,
        "had_media": guards.had_media, "per_week": guards.per_week,
        "quiet_from": guards.quiet_from, "quiet_to": guards.quiet_to, "quiet_zone": guards.quiet_zone,
        "holdout_percent": campaign.holdout_percent or None, "at_most": campaign.at_most,
        "stop_time": _local(campaign.stop_at), "send_time": _local(campaign.scheduled_at),
        "when": campaign.trigger or (LATER if campaign.scheduled_at else NOW),
        "late_policy": campaign.late_policy, "late_hours": campaign.late_hours,
        "delay_from": campaign.delay_minutes[0], "delay_to": campaign.delay_minutes[1],
        "again_after_days": campaign.again_after_days,
        "stop_on_answer": guards.until_answer or not campaign.trigger,
    }  # fmt: skip


def _local(moment: datetime | None) -> str:
    return f"{moment.astimezone(find_zone(account.timezone)):%Y-%m-%dT%H:%M}" if moment else ""
