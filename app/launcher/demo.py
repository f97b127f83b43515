"""The demo: Ada, her thousand fans, and a platform that plays along. Only under the local launcher, on loopback.

All of it goes the product's own roads: the CSV is imported, the fans are linked by the connection's sync, and the
first conversations come in by signed webhooks.
"""

import random
import time
from typing import Any
from urllib.parse import urlsplit

import httpx
import structlog
from flask import Flask

from app.accounts import actions
from app.accounts import queries as accounts
from app.config import DEMO, ROOT
from app.database import write
from app.fans.sync import sync_all
from app.imports import actions as imports
from app.platforms import actions as platform_actions
from app.platforms import queries as platforms
from app.platforms.gateway import PlatformError
from app.platforms.models import Connection

log = structlog.get_logger()
EMAIL, PASSWORD, ACCOUNT = DEMO["email"], DEMO["password"], "Ada Green"
PLATFORM_ACCOUNT, KEY = "acct_demo", "sandbox-demo"
START_SECONDS = 15
OPENINGS = (
    "Hi Ada! Just found your page, love the garden pictures",
    "When is the next live?",
    "Thank you for the birthday wish, it made my day",
    "Is the behind-the-scenes set still available?",
    "Good morning from Lisbon!",
    "I renewed for three months, worth every cent",
    "Could you do a longer video about the new studio?",
    "That last post was beautiful",
    "Do you ship signed prints to Canada?",
    "Hello! First message here, a bit shy",
    "My sister and I both follow you now",
    "What camera do you use?",
)


def prepare(app: Flask, settings: dict[str, Any]) -> bool:
    """Makes what is missing of the demo account, and keeps its connection at the sandbox's port.

    Returns whether it is new. What a person changed by hand is left alone.
    """
    with app.app_context():
        user = accounts.find_user_by_email(EMAIL) or actions.add_user(
            email=EMAIL, password=PASSWORD, account_name=ACCOUNT, name=ACCOUNT, demo=True
        )
        if not user.demo or not user.memberships:
            return False
        account_id = user.memberships[0].account_id
        connection = platforms.first_connection(account_id, "onlyfans")
        if connection is None:
            _import_fans(account_id, user.id)
            connection = _connect(account_id, settings)
        elif connection.api_key != KEY:
            return False
        _move(connection, settings)
        if connection.last_synced_at is None:
            _wait_for(f"{connection.base_url}/sandbox/health")
            platform_actions.open_up(connection, _webhook_url(connection, settings))
            sync_all(connection.id)
            return True
    return False


def _import_fans(account_id: int, user_id: int) -> None:
    with (ROOT / "examples" / "fans.csv").open("rb") as file:
        started = imports.start(account_id, user_id, filename="fans.csv", content=file)
    imports.run_import(started.id)


def _connect(account_id: int, settings: dict[str, Any]) -> Connection:
    return platform_actions.connect(
        account_id,
        base_url=_sandbox_url(settings),
        external_account=PLATFORM_ACCOUNT,
        api_key=KEY,
        pace_limit=settings["PACE_LIMIT"],
        pace_window_seconds=settings["PACE_WINDOW_SECONDS"],
    )


def _move(connection: Connection, settings: dict[str, Any]) -> None:
    """After a start with another SANDBOX_PORT."""
    if connection.base_url != _sandbox_url(settings):
        with write():
            connection.base_url = _sandbox_url(settings)


def _sandbox_url(settings: dict[str, Any]) -> str:
    return f"http://127.0.0.1:{settings['SANDBOX_PORT']}"


def _webhook_url(connection: Connection, settings: dict[str, Any]) -> str:
    return f"http://127.0.0.1:{settings['PORT']}/webhooks/{connection.id}"


def _wait_for(url: str) -> None:
    ends_at = time.monotonic() + START_SECONDS
    while time.monotonic() < ends_at:
        try:
            if httpx.get(url, timeout=2, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise SystemExit("The sandbox platform did not start.")


def wake(app: Flask, settings: dict[str, Any], is_new: bool) -> None:
    """Once everything runs: a new demo's fans speak first; an old one's events come to where web now listens."""
    try:
        if is_new:
            _enliven(settings)
        else:
            _follow_port(app, settings)
    except (httpx.HTTPError, PlatformError) as error:
        log.warning("demo_not_woken", error=type(error).__name__)


def _enliven(settings: dict[str, Any]) -> None:
    """A dozen fans say something: it comes in as everything does."""
    draw = random.Random(7)  # noqa: S311  no secret
    for text in OPENINGS:
        chat = 100_000_001 + draw.randrange(1000)
        say = f"{_sandbox_url(settings)}/sandbox/fans/{chat}/say"
        httpx.post(say, json={"text": text}, timeout=5, trust_env=False)


def _follow_port(app: Flask, settings: dict[str, Any]) -> None:
    """The sandbox remembers its webhooks: those for a port of before are taken back, that no stranger there gets them."""
    with app.app_context():
        user = accounts.find_user_by_email(EMAIL)
        for connection in platforms.connections_of(user.memberships[0].account_id) if user and user.memberships else []:
            if connection.api_key != KEY:
                continue
            _wait_for(f"{_sandbox_url(settings)}/sandbox/health")
            url = _webhook_url(connection, settings)
            _take_back_webhooks(f"{_sandbox_url(settings)}/api/webhooks", url)
            platforms.gateway_of(connection).register_webhook(url, connection.webhook_secret)


def _take_back_webhooks(address: str, url: str) -> None:
    path = urlsplit(url).path
    with httpx.Client(headers={"Authorization": f"Bearer {KEY}"}, timeout=5, trust_env=False) as sandbox:
        for hook in sandbox.get(address).raise_for_status().json()["data"]:
            if hook["url"] != url and urlsplit(hook["url"]).path == path:
                sandbox.delete(f"{address}/{hook['id']}")
