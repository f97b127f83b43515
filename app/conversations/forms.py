from decimal import Decimal

from flask_wtf import FlaskForm
from wtforms import DecimalField, HiddenField, MultipleFileField, TextAreaField
from wtforms.validators import Length, NumberRange, Optional

from app.conversations.actions import LONGEST_TEXT
from app.conversations.models import new_key


class ComposerForm(FlaskForm):
    text = TextAreaField("Message", [Length(max=LONGEST_TEXT, message=f"At most {LONGEST_TEXT:,} characters.")])
    price = DecimalField("Price ($)", [Optional(), NumberRange(0, 1_000_000, "Enter a price of 0 or more.")], places=2)
    files = MultipleFileField("Pictures, videos, sounds")
    client_message_id = HiddenField(default=new_key, validators=[Length(max=255)])

    def price_cents(self) -> int:
        return int(((self.price.data or Decimal()) * 100).to_integral_value())

    def clean_text(self) -> str:
        """As a browser's form sends it, with Unix line ends."""
        return (self.text.data or "").replace("\r\n", "\n").replace("\0", "")
