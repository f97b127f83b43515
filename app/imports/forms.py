from dataclasses import asdict
from typing import Any

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import FieldList, Form, FormField, RadioField, SelectField, SelectMultipleField, StringField, widgets
from wtforms.fields.choices import SelectChoice  # pyright: ignore[reportAttributeAccessIssue]  newer than its stubs
from wtforms.validators import Length

from app.imports.choosing import ColumnChoice, MappingChoice, read_choices
from app.imports.evidence import Choices
from app.imports.headers import FIELDS, LABELS, MOMENTS, MONEY
from app.imports.models import ImportKind
from app.imports.options import NAMES_TO_MATCH, Options, Rules
from app.imports.plan import Column
from app.imports.questions import Question
from app.zones import zone_names

KINDS = {"fans": "Fans", "transactions": "Payments", "do-not-message": "People who must not be messaged"}
ENCODINGS = {
    "utf-8": "UTF-8", "cp1252": "Windows (Western)", "mac-roman": "Mac (Western)", "utf-16": "UTF-16",
    "cp1250": "Windows (Central European)", "cp1251": "Windows (Cyrillic)", "shift_jis": "Japanese (Shift JIS)",
}  # fmt: skip
ANSWERS = {"dateOrder": "date_order", "decimal": "decimal", "unit": "unit", "currency": "currency"}
NAMES = {"platform_fan_id": "Platform id", "handle": "Username", "email": "E-mail"}


def _choices(said: dict[str, str], first: str | None = None) -> list[SelectChoice]:
    empty = [SelectChoice("", first)] if first else []
    return [*empty, *(SelectChoice(value, label) for value, label in said.items())]


def _left_to_the_file(label: str, said: dict[str, str]) -> SelectField:
    """Not sent at all, it says as little as left alone."""
    return SelectField(label, choices=_choices(said, "as the file shows"), default="")


class UploadForm(FlaskForm):
    file = FileField("File")


class Boxes(SelectMultipleField):
    widget = widgets.ListWidget(prefix_label=False)
    option_widget = widgets.CheckboxInput()


class ColumnForm(Form):
    """What one column is, and how it is written where the file leaves that open."""

    field = SelectField("Read as", default="")
    date_order = _left_to_the_file(
        "Dates", {"dmy": "day, month, year", "mdy": "month, day, year", "ymd": "year, month, day"}
    )
    decimal = _left_to_the_file("Decimal mark", {".": "point: 1,234.50", ",": "comma: 1.234,50"})
    unit = _left_to_the_file("Whole amounts", {"units": "dollars, euros …", "cents": "cents"})
    currency = StringField("Currency", [Length(max=3, message="A code of three letters, such as USD.")])

    @property
    def is_date(self) -> bool:
        return self.field.data in MOMENTS

    @property
    def is_money(self) -> bool:
        return self.field.data in MONEY


class MappingForm(FlaskForm):
    zones = staticmethod(zone_names)

    kind = SelectField("What the file holds", choices=_choices(KINDS))
    encoding = SelectField("Encoding", choices=_choices(ENCODINGS))
    timezone = StringField("Times without a zone are of", [Length(max=100)])
    columns = FieldList(FormField(ColumnForm))
    mode = RadioField(
        "Which rows come in",
        choices=_choices({"both": "New fans and known ones", "create": "Only new fans", "update": "Only known fans"}),
        default="both",
    )
    match = Boxes("A row finds its fan by", choices=_choices(NAMES), default=list(NAMES_TO_MATCH))
    invalid = RadioField(
        "A row with a bad cell",
        choices=_choices({"warn": "comes in without that cell, and is listed", "reject": "is left out, and is listed"}),
        default="warn",
    )
    empty = RadioField(
        "An empty cell", choices=_choices({"keep": "keeps what stands", "clear": "clears it"}), default="keep"
    )
    tags = RadioField(
        "Tags", choices=_choices({"add": "are added to those a fan has", "replace": "replace them"}), default="add"
    )

    def offer_fields(self, kind: str) -> None:
        """Before validation: what a column may be read as depends on what the file holds."""
        wanted = ImportKind(kind) if kind in KINDS else ImportKind.FANS
        choices = _choices({name: LABELS[name] for name in FIELDS[wanted]}, "leave it out")
        for column in self.columns:
            column.form.field.choices = choices
            if column.form.field.data not in {choice.value for choice in choices}:
                column.form.field.data = ""

    def offer_encoding(self, name: str) -> None:
        """The one that was found, should it be none of the usual ones."""
        if name not in ENCODINGS:
            self.encoding.choices = [*_choices(ENCODINGS), SelectChoice(name, name)]

    def choice(self) -> MappingChoice:
        """Raises Invalid."""
        columns = {
            index: ColumnChoice(
                column.form.field.data or "",
                read_choices(**{name: column.form[name].data or None for name in ANSWERS.values()}),
            )
            for index, column in enumerate(self.columns)
        }
        rules = Rules(self.invalid.data, self.mode.data, tuple(self.match.data or ()), self.empty.data, self.tags.data)
        return MappingChoice(self.kind.data, columns, rules, self.timezone.data, self.encoding.data)

    def show_errors(self, errors: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> None:
        """Each beside what it is about: `dateOrder-3` is a question about the fourth column."""
        for name, words in errors:
            asked, _, index = name.partition("-")
            if index.isdecimal() and asked in ANSWERS:
                field: Any = self.columns[int(index)].form[ANSWERS[asked]]
            else:
                field = getattr(self, name, None) or self.kind
                field = self.kind if field is self.columns else field
            field.errors = [*field.errors, words]


def mapping_form(options: Options, kind: str) -> MappingForm:
    """As the file was understood so far."""
    plan, rules = options.plan, options.rules
    fields = {column.index: column for column in plan.columns}
    columns = [_column_data(fields.get(index), options.answers.get(index)) for index in range(len(plan.header))]
    data = {
        "kind": kind, "timezone": plan.zone, "encoding": _usual(plan.form.encoding), "columns": columns, "mode": rules.mode,
        "match": list(rules.match), "invalid": rules.invalid, "empty": rules.empty, "tags": rules.tags,
    }  # fmt: skip
    form = MappingForm(formdata=None, data=data)
    form.offer_encoding(_usual(plan.form.encoding))
    form.offer_fields(kind)
    form.show_errors([(f"{each.field}-{each.column}", _question(each)) for each in options.questions])
    return form


def _usual(encoding: str) -> str:
    return "utf-8" if encoding == "utf-8-sig" else encoding


def _column_data(column: Column | None, said: Choices | None) -> dict[str, str]:
    answers = {name: value for name, value in asdict(said).items() if value} if said else {}
    return answers | {"field": column.field if column else ""}


def _question(question: Question) -> str:
    """What it says to programs, "Send dateOrder=…", a person has before the eyes."""
    return question.words.partition(" Send ")[0]
