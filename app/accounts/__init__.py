"""Who works here: users, creator accounts, memberships, sign-in and API tokens."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.accounts import guard, views

    guard.init_app(app)
    app.register_blueprint(views.bp)
