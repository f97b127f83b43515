"""Talking with fans: conversations, messages, the live stream to watchers, and the outbox that sends at the exact pace."""

from flask import Flask


def init_app(app: Flask) -> None:
    from app.conversations import (
        desk_views,
        fan_news,
        many_views,
        media_views,
        message_views,
        reply_views,
        search_views,
        sockets,
        triage_views,
        views,
    )
    from app.conversations.message_rows import html_of_message
    from app.conversations.rows import html_of_row
    from app.fans.actions import looks_changed

    # What they handle is registered by being imported.
    assert all((sockets, desk_views, many_views, media_views, message_views, reply_views, search_views, triage_views))
    app.register_blueprint(views.bp)
    app.context_processor(views.unread_badge)
    app.jinja_env.globals.update(html_of_row=html_of_row, html_of_message=html_of_message)
    looks_changed.connect(fan_news.show_anew)
