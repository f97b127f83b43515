"""For the person who runs it: is it alive, is it ready, how does it stand; backup and restore."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.operations import commands, requests, views

    app.register_blueprint(views.bp)
    requests.init_app(app)
    commands.init_app(app)
