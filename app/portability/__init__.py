"""Leaving with everything: one file of a whole account, which another instance takes in."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.portability import views
    from app.portability.commands import group

    app.register_blueprint(views.bp)
    app.cli.add_command(group)
