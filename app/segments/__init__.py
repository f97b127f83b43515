"""Segments: a saved rule over fans, always up to date because it is a query."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.segments import views

    app.register_blueprint(views.bp)
