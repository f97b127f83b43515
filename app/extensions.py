"""The Flask extensions, made once and bound to the app in `init_app`."""

from typing import Any

import redis
import socketio as python_socketio
from flask import Flask, current_app
from flask_compress import Compress
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_socketio import SocketIO
from flask_wtf.csrf import CSRFProtect

from app.telling import Teller

LIVE_CHANNEL = "greenroom-live"

login_manager = LoginManager()
csrf = CSRFProtect()
compress = Compress()
limiter = Limiter(key_func=get_remote_address)
socketio = SocketIO()


def init_app(app: Flask) -> None:
    url = app.config["REDIS_URL"]
    app.config["RATELIMIT_STORAGE_URI"] = f"redis+{url}" if url.startswith("unix:") else url
    app.extensions["greenroom_redis"] = connect_redis(url)
    app.extensions["greenroom_emitter"] = python_socketio.RedisManager(url, channel=LIVE_CHANNEL, write_only=True)
    login_manager.init_app(app)
    csrf.init_app(app)
    app.config.update(COMPRESS_REGISTER=False, COMPRESS_ALGORITHM=["br", "gzip"])  # web.py says when
    compress.init_app(app)
    limiter.init_app(app)


def serve_sockets(app: Flask) -> None:
    """Makes this process one that browsers hold sockets to. Only the web process calls it."""
    # What is said here goes to this process's own browsers at once, and by Redis to those of the others.
    teller = app.extensions["greenroom_emitter"] = Teller(app.config["REDIS_URL"], channel=LIVE_CHANNEL)
    socketio.init_app(
        app,
        async_mode="threading",
        client_manager=teller,
        transports=["websocket"],  # pyright: ignore[reportCallIssue]  passed on to Engine.IO
        ping_interval=8,
        ping_timeout=6,
    )


def connect_redis(url: str, **options: Any) -> redis.Redis:
    return redis.Redis.from_url(url, **options)


def get_redis() -> redis.Redis:
    return current_app.extensions["greenroom_redis"]


def get_emitter() -> python_socketio.RedisManager:
    """Speaks to every browser through Redis, from web and worker alike. With Redis away, an event is dropped:
    browsers ask for what they missed."""
    return current_app.extensions["greenroom_emitter"]
