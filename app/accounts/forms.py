from flask_wtf import FlaskForm
from wtforms import EmailField, HiddenField, PasswordField
from wtforms.validators import DataRequired, Length


class SignInForm(FlaskForm):
    email = EmailField("E-mail", [DataRequired("Enter your e-mail address."), Length(max=320)])
    password = PasswordField("Password", [DataRequired("Enter your password."), Length(max=1000)])
    next = HiddenField()
