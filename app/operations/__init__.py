"""For the person who runs it: is it alive, is it ready, how does it stand."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.operations import views

    app.register_blueprint(views.bp)
