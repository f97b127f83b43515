"""Files that people bring: read whatever their shape, taken in by a worker, every row accounted for."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.imports import views

    app.register_blueprint(views.bp)
