import csv
import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, HiddenField, StringField, TextAreaField, URLField
from wtforms.validators import URL, Email, Length, NumberRange, Optional, ValidationError

from app.dollars import DollarField
from app.fans.actions import LONGEST_NOTES, WRITTEN, said_of
from app.fans.keys import LONGEST_TAG, MOST_TAGS
from app.fans.models import Fan
from app.zones import find_zone, zone_names


class FanForm(FlaskForm):
    zones = staticmethod(zone_names)

    shown = HiddenField(default="")  # what stood in the form as it was opened

    name = StringField("Name", [Length(max=255)])
    handle = StringField("Handle", [Length(max=255)])
    email = EmailField("E-mail", [Optional(), Length(max=320), Email("This is not an e-mail address.")])
    phone = StringField("Phone", [Length(max=50)])
    platform_fan_id = StringField("Platform id", [Length(max=255)])
    subscription_status = StringField("Subscription", [Length(max=100)])
    timezone = StringField("Time zone", [Optional(), Length(max=100)])
    value = DollarField(
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
        values: dict[str, Any] = {name: clean(self[name].data) for name in WRITTEN}
        values["tags"] = split_tags(self.tags.data or "")
        values["do_not_message"] = self.do_not_message.data
        if self.value.data is not None:
            values["value_cents"] = self.value.cents
        return values

    def values_shown(self) -> dict[str, Any]:
        """What `values` would have been then; nothing where it does not say."""
        try:
            said = json.loads(self.shown.data or "{}")
        except ValueError:
            return {}
        tags = said.get("tags", []) if isinstance(said, dict) else None
        return said if isinstance(tags, list) and all(isinstance(tag, str) for tag in tags) else {}

    def show_as_now(self, fan: Fan, names: Iterable[str]) -> None:
        """Of these, the person has been told what stands by now."""
        said = said_of(fan)
        self.shown.data = json.dumps(self.values_shown() | {name: said[name] for name in names})


def clean(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n").replace("\0", "")


def form_for(fan: Fan) -> FanForm:
    said = said_of(fan)
    shown = {"shown": json.dumps(said), "tags": join_tags(fan.tags), "value": Decimal(fan.stated_value_cents) / 100}
    return FanForm(formdata=None, data=said | shown)


def join_tags(tags: Sequence[str]) -> str:
    """As split_tags takes them apart: one that a program or a file gave a comma stands in quotes."""
    quoted = ('"' + tag.replace('"', '""') + '"' if "," in tag or tag.startswith('"') else tag for tag in tags)
    return ", ".join(quoted)


def split_tags(text: str) -> list[str]:
    line = " ".join(text.replace("\0", "").splitlines())
    return [tag.strip() for tag in next(csv.reader([line], skipinitialspace=True), []) if tag.strip()]
