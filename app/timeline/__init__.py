"""What happened with a fan, in one line of time: reads, never writes."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.timeline.views import bp

    app.register_blueprint(bp)
