"""Many messages from one template: whom, what, how far, and what became of each. The outbox does the sending."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.campaigns import composer_views, views

    assert composer_views  # what it handles is registered by being imported
    app.register_blueprint(views.bp)
