from flask_wtf import FlaskForm
from wtforms import IntegerField, PasswordField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional, Regexp

from app.dollars import DollarField


class ConnectionForm(FlaskForm):
    base_url = StringField("Address of the API", [DataRequired("Enter the address."), Length(max=500)])
    external_account = StringField(
        "Account",
        [
            DataRequired("Enter the account's id."),
            Regexp(r"^[A-Za-z0-9_\-]{1,100}$", message="Letters, digits, _ and - only."),
        ],
    )
    api_key = PasswordField("Key", [Length(max=500)])
    pace_limit = IntegerField("Messages", [InputRequired("Enter a number."), NumberRange(1, 100_000)])
    pace_window_seconds = IntegerField("in seconds", [InputRequired("Enter a number."), NumberRange(1, 86_400)])
    reserve = IntegerField("Kept for replies", [Optional(), NumberRange(0, 99_999)])
    daily_cap = IntegerField("At most in a day", [Optional(), NumberRange(1, 10_000_000)])
    forbidden_words = TextAreaField("Words that the platform forbids", [Length(max=20_000)])
    price_min = DollarField("Lowest price ($)", [InputRequired("Enter a price."), NumberRange(0.01, 100_000)], places=2)
    price_max = DollarField(
        "Highest price ($)", [InputRequired("Enter a price."), NumberRange(0.01, 100_000)], places=2
    )
