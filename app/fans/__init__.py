"""The people: who they are, how to find them, what they are worth."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.fans import views

    app.register_blueprint(views.bp)
