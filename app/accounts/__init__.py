"""Who works here: users, creator accounts, memberships, sign-in and API tokens."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.accounts import audit_views, guard, views

    assert audit_views  # what it handles is registered by being imported

    guard.init_app(app)
    app.register_blueprint(views.bp)
