"""Money and work in figures, each with the rows it stands on: reads. All that is written is who sold a payment, by money."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.analytics import payment_views, views

    assert payment_views  # what it handles is registered by being imported
    app.register_blueprint(views.bp)
