from dataclasses import dataclass
from decimal import Decimal

from flask_wtf import FlaskForm
from wtforms import BooleanField, DecimalField, IntegerField, MultipleFileField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # pyright: ignore[reportAttributeAccessIssue]  newer than its stubs
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from app.campaigns.audience import LONGEST_PAUSE_HOURS, Guards
from app.conversations.actions import LONGEST_TEXT
from app.fans import queries as fans
from app.segments import queries as segments
from app.segments.ready_made import READY_MADE
from app.segments.rules import EVERYBODY, Condition, Group, parse


@dataclass(frozen=True)
class Aim:
    """A choice of "who gets it"."""

    rule: Group
    words: str


class CampaignForm(FlaskForm):
    name = StringField("Name", [DataRequired("Give it a name, to find it again."), Length(max=255)])
    audience = SelectField("Who gets it", default="all")
    text = TextAreaField("Message", [Length(max=LONGEST_TEXT, message=f"At most {LONGEST_TEXT:,} characters.")])
    price = DecimalField("Price ($)", [Optional(), NumberRange(0, 1_000_000, "Enter a price of 0 or more.")], places=2)
    files = MultipleFileField("Pictures, videos, sounds")
    priority = IntegerField("Priority", [NumberRange(1, 10, "From 1 to 10.")], default=5)
    unanswered = BooleanField("Leave out whose own message waits for an answer")
    messaged_within_hours = IntegerField(
        "Leave out whom you wrote to in the last … hours",
        [Optional(), NumberRange(1, LONGEST_PAUSE_HOURS, f"From 1 to {LONGEST_PAUSE_HOURS:,} hours.")],
    )

    def price_cents(self) -> int:
        return int(((self.price.data or Decimal()) * 100).to_integral_value())

    def clean_text(self) -> str:
        return (self.text.data or "").replace("\r\n", "\n").replace("\0", "")

    def guards(self) -> Guards:
        return Guards(bool(self.unanswered.data), self.messaged_within_hours.data)


def form_for(account_id: int, chosen: str = "") -> tuple[CampaignForm, dict[str, Aim]]:
    """The form, and what each of its audiences means."""
    saved, tags = segments.segments_of(account_id), fans.tags_of_account(account_id)
    aims = {"all": Aim(EVERYBODY, "all fans")}
    aims |= {f"segment:{each.id}": Aim(parse(each.rule), f"the segment {each.name}") for each in saved}
    aims |= {f"ready:{key}": Aim(each.rule, each.name) for key, each in READY_MADE.items()}
    aims |= {f"tag:{tag}": Aim(Group("all", (Condition("tag", "is", tag),)), f"all tagged {tag}") for tag in tags}
    form = CampaignForm(audience=chosen) if chosen in aims else CampaignForm()
    form.audience.choices = {
        "": [SelectChoice("all", "All fans")],
        "Your segments": [SelectChoice(f"segment:{each.id}", each.name) for each in saved],
        "Ready-made": [SelectChoice(f"ready:{key}", each.name) for key, each in READY_MADE.items()],
        "Tags": [SelectChoice(f"tag:{tag}", f"Tagged {tag}") for tag in tags],
    }
    return form, aims
