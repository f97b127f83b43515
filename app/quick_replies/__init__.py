"""Quick replies: texts kept under a short code, put into an answer with the fan's own facts filled in."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.quick_replies import views

    app.register_blueprint(views.bp)
