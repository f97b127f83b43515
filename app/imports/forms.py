from typing import Any

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # pyright: ignore[reportAttributeAccessIssue]  newer than its stubs
from wtforms.validators import Length


def _choice(label: str, first: str, **choices: str) -> SelectField:
    """Left alone, or not sent at all, it is empty: the file decides."""
    return SelectField(
        label, choices=[SelectChoice("", first), *(SelectChoice(*each) for each in choices.items())], default=""
    )


class ImportForm(FlaskForm):
    file = FileField("File")
    kind = _choice(
        "What it holds",
        "Recognise it",
        **{"fans": "Fans", "transactions": "Payments", "do-not-message": "People who must not be messaged"},
    )
    invalid = RadioField(
        "A row with a bad cell",
        choices=[
            SelectChoice("warn", "comes in without that cell, and is listed"),
            SelectChoice("reject", "is left out, and is listed"),
        ],
        default="warn",
    )
    date_order = _choice(
        "Dates such as 03/04/2026",
        "As the file shows",
        dmy="day, month, year",
        mdy="month, day, year",
        ymd="year, month, day",
    )
    decimal = _choice("Decimal mark", "As the file shows", point="point: 1,234.50", comma="comma: 1.234,50")
    unit = _choice("Whole amounts such as 500", "As the file shows", units="dollars", cents="cents")
    currency = StringField("Currency", [Length(max=3, message="A code of three letters, such as USD.")])
    encoding = _choice(
        "Encoding",
        "As the file shows",
        **{"utf-8": "UTF-8", "windows-1252": "Windows (Western)", "macintosh": "Mac (Western)", "utf-16": "UTF-16"},
    )

    @property
    def asks_how_it_is_written(self) -> bool:
        """Whether one of the questions behind "How the file is written" needs an answer."""
        asked: tuple[Any, ...] = (self.date_order, self.decimal, self.unit, self.currency, self.encoding)
        return any(field.errors for field in asked)
