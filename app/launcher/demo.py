"""The demo: Ada, her thousand fans, and a platform that plays along. Only under the local launcher, on loopback.

All of it goes the product's own roads: the CSV is imported, the fans are linked by the connection's sync, and the
first conversations come in by signed webhooks.
"""

import random
import time
from typing import Any

import httpx
import structlog

from app.config import DEMO, ROOT

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


def prepare(settings: dict[str, Any]) -> bool:
    """Makes the demo account unless it is here. Returns whether it is new."""
    from app import create_app
    from app.accounts import actions, queries

    app = create_app()
    with app.app_context():
        if queries.find_user_by_email(EMAIL):
            return False
        user = actions.add_user(email=EMAIL, password=PASSWORD, account_name=ACCOUNT, name=ACCOUNT, demo=True)
        account_id = user.memberships[0].account_id
        _import_fans(account_id, user.id)
        _connect(account_id, settings)
    return True


def _import_fans(account_id: int, user_id: int) -> None:
    from app.imports import actions

    with (ROOT / "examples" / "fans.csv").open("rb") as file:
        started = actions.start(account_id, user_id, filename="fans.csv", content=file)
    actions.run_import(started.id)


def _connect(account_id: int, settings: dict[str, Any]) -> None:
    from app.fans.sync import sync_fans
    from app.platforms import actions

    base_url = f"http://127.0.0.1:{settings['SANDBOX_PORT']}"
    _wait_for(f"{base_url}/sandbox/health")
    connection = actions.connect(
        account_id,
        base_url=base_url,
        external_account=PLATFORM_ACCOUNT,
        api_key=KEY,
        pace_limit=settings["PACE_LIMIT"],
        pace_window_seconds=settings["PACE_WINDOW_SECONDS"],
    )
    actions.open_up(connection, f"http://127.0.0.1:{settings['PORT']}/webhooks/{connection.id}")
    sync_fans(connection.id)


def _wait_for(url: str) -> None:
    ends_at = time.monotonic() + START_SECONDS
    while time.monotonic() < ends_at:
        try:
            if httpx.get(url, timeout=2, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise SystemExit("The sandbox platform did not start.")


def enliven(settings: dict[str, Any]) -> None:
    """A dozen fans say something: it comes in as everything does."""
    base_url = f"http://127.0.0.1:{settings['SANDBOX_PORT']}"
    draw = random.Random(7)  # noqa: S311  no secret
    try:
        for text in OPENINGS:
            chat = 100_000_001 + draw.randrange(1000)
            httpx.post(f"{base_url}/sandbox/fans/{chat}/say", json={"text": text}, timeout=5, trust_env=False)
    except httpx.HTTPError as error:
        log.warning("demo_not_enlivened", error=type(error).__name__)
