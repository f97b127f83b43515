"""Leaving with everything: one file of a whole account, which another instance takes in."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.portability import leave_views, views
    from app.portability.commands import group

    assert leave_views  # what it handles is registered by being imported

    app.register_blueprint(views.bp)
    app.cli.add_command(group)
