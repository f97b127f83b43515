"""Money and work in figures, each with the rows it stands on: reads, never writes."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.analytics.views import bp

    app.register_blueprint(bp)
