"""Who works here: users, creator accounts, memberships, sign-in and API tokens."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.accounts import audit_views, code_views, guard, me_views, people_views, two_step_views, views

    handling = (audit_views, code_views, me_views, people_views, two_step_views)
    assert all(handling)  # what they handle is registered by being imported

    guard.init_app(app)
    app.register_blueprint(views.bp)
