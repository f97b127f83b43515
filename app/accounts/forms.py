from flask_wtf import FlaskForm
from wtforms import EmailField, HiddenField, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # pyright: ignore[reportAttributeAccessIssue]  newer than its stubs
from wtforms.validators import DataRequired, Length

from app.accounts.roles import IN_WORDS, Role


class SignInForm(FlaskForm):
    email = EmailField("E-mail", [DataRequired("Enter your e-mail address."), Length(max=320)])
    password = PasswordField("Password", [DataRequired("Enter your password."), Length(max=1000)])
    next = HiddenField()


def _storable(value: str | None) -> str:
    return (value or "").replace("\0", "")


class InviteForm(FlaskForm):
    email = EmailField("E-mail", [DataRequired("Enter their e-mail address."), Length(max=320)], filters=[_storable])
    role = SelectField(
        "Role",
        choices=[SelectChoice(role.value, f"{role.capitalize()}: {IN_WORDS[role]}") for role in Role],
        default=Role.CHATTER,
    )


class JoinForm(FlaskForm):
    name = StringField("Your name", [DataRequired("Enter your name."), Length(max=200)], filters=[_storable])
    password = PasswordField("Password", [DataRequired("Choose a password."), Length(max=1000)])


class NameForm(FlaskForm):
    name = StringField("Name", [DataRequired("Enter your name."), Length(max=200)], filters=[_storable])


class PasswordForm(FlaskForm):
    old = PasswordField("Your password now", [DataRequired("Enter your password."), Length(max=1000)])
    password = PasswordField("New password", [DataRequired("Choose a password."), Length(max=1000)])


class CodeForm(FlaskForm):
    code = StringField("Code", [DataRequired("Enter the code."), Length(max=40)])


class TwoStepForm(FlaskForm):
    key = HiddenField()
    do = HiddenField(default="off")
    password = PasswordField("Your password", [DataRequired("Enter your password."), Length(max=1000)])
    code = StringField("Code", [DataRequired("Enter the code."), Length(max=40)])


class NewPasswordForm(FlaskForm):
    password = PasswordField("New password", [DataRequired("Choose a password."), Length(max=1000)])
