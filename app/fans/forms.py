import csv
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, DecimalField, EmailField, StringField, TextAreaField, URLField
from wtforms.validators import URL, Email, Length, NumberRange, Optional, ValidationError

from app.fans.actions import LONGEST_NOTES
from app.fans.keys import LONGEST_TAG, MOST_TAGS
from app.fans.models import Fan
from app.zones import find_zone, zone_names

PLAIN_FIELDS = (
    "name", "handle", "email", "phone", "platform_fan_id", "subscription_status", "timezone", "avatar_url", "notes",
)  # fmt: skip


class FanForm(FlaskForm):
    zones = staticmethod(zone_names)

    name = StringField("Name", [Length(max=255)])
    handle = StringField("Handle", [Length(max=255)])
    email = EmailField("E-mail", [Optional(), Length(max=320), Email("This is not an e-mail address.")])
    phone = StringField("Phone", [Length(max=50)])
    platform_fan_id = StringField("Platform id", [Length(max=255)])
    subscription_status = StringField("Subscription", [Length(max=100)])
    timezone = StringField("Time zone", [Optional(), Length(max=100)])
    value = DecimalField(
        "Spent ($)", [Optional(), NumberRange(0, 10_000_000, "Enter an amount of 0 or more.")], places=2
    )
    tags = StringField("Tags", [Length(max=5000)])
    avatar_url = URLField("Picture address", [Optional(), Length(max=2000), URL(message="This is not a web address.")])
    notes = TextAreaField("Notes", [Length(max=LONGEST_NOTES)])
    do_not_message = BooleanField("Do not message this fan")

    def validate_tags(self, field: StringField) -> None:
        tags = split_tags(field.data or "")
        if len(tags) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in tags):
            raise ValidationError(f"At most {MOST_TAGS} tags of {LONGEST_TAG} characters each.")

    def validate_timezone(self, field: StringField) -> None:
        if find_zone((field.data or "").strip()) is None:
            raise ValidationError("Choose the name of a time zone, such as Europe/Paris.")

    def values(self) -> dict[str, Any]:
        """As fans.actions takes them."""
        values: dict[str, Any] = {name: (self[name].data or "").replace("\0", "") for name in PLAIN_FIELDS}
        values["tags"] = split_tags(self.tags.data or "")
        values["do_not_message"] = self.do_not_message.data
        if self.value.data is not None:
            values["value_cents"] = int((self.value.data * 100).to_integral_value())
        return values


def form_for(fan: Fan) -> FanForm:
    plain = {name: getattr(fan, name) for name in (*PLAIN_FIELDS, "do_not_message")}
    return FanForm(
        formdata=None, data=plain | {"tags": join_tags(fan.tags), "value": Decimal(fan.stated_value_cents) / 100}
    )


def join_tags(tags: Sequence[str]) -> str:
    """As split_tags takes them apart: one that a program or a file gave a comma stands in quotes."""
    quoted = ('"' + tag.replace('"', '""') + '"' if "," in tag or tag.startswith('"') else tag for tag in tags)
    return ", ".join(quoted)


def split_tags(text: str) -> list[str]:
    line = " ".join(text.replace("\0", "").splitlines())
    return [tag.strip() for tag in next(csv.reader([line], skipinitialspace=True), []) if tag.strip()]
