"""Pictures, videos and sounds: kept for the account, shown only to it, fetched safely where they lie elsewhere."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.media import views

    app.register_blueprint(views.bp)
