from decimal import Decimal

from flask_wtf import FlaskForm
from wtforms import DecimalField, IntegerField, MultipleFileField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from app.conversations.actions import LONGEST_TEXT


class CampaignForm(FlaskForm):
    name = StringField("Name", [DataRequired("Give it a name, to find it again."), Length(max=255)])
    tag = SelectField("Who gets it")
    text = TextAreaField("Message", [Length(max=LONGEST_TEXT, message=f"At most {LONGEST_TEXT:,} characters.")])
    price = DecimalField("Price ($)", [Optional(), NumberRange(0, 1_000_000, "Enter a price of 0 or more.")], places=2)
    files = MultipleFileField("Pictures, videos, sounds")
    priority = IntegerField("Priority", [NumberRange(1, 10, "From 1 to 10.")], default=5)

    def price_cents(self) -> int:
        return int(((self.price.data or Decimal()) * 100).to_integral_value())

    def clean_text(self) -> str:
        return (self.text.data or "").replace("\r\n", "\n").replace("\0", "")
