"""The outside world: what a platform must do for us, the adapters that do it, and an account's connections to them."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.platforms import views

    app.register_blueprint(views.bp)
