"""The composer as a person without JavaScript uses it."""

import re
from datetime import datetime
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from app import clock, sweep
from app.campaigns import cancelling, preparing
from app.campaigns.models import Campaign
from app.conversations.claims import wake
from app.conversations.models import Conversation, Message
from app.database import write
from tests.people import Person
from tests.sending import drain
from tests.servers import Sandbox

FILLED = {"window": "f" * 32, "priority": "5", "name": "News", "text": "Hello"}
ASKED = "press again to send it"
SEEN = re.compile(r'name="seen" value="(\d+)"')
KEY = re.compile(r'name="key"[^>]* value="([0-9a-f]{32})"')


def post(browser: FlaskClient, path: str = "/campaigns/new", **fields: Any) -> TestResponse:
    """The form with these fields, and its button that launches unless `do` says otherwise; pressed again where it asks."""
    token = browser.get("/fans").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    said = FILLED | {"csrf_token": token} | fields
    answer = browser.post(path, data=said)
    if "seen" in said or ASKED not in answer.text:
        return answer
    return browser.post(path, data=said | {"key": key_of(answer.text), "seen": seen_in(answer.text)})


def press(browser: FlaskClient, campaign_id: int, verb: str) -> TestResponse:
    return post(browser, f"/campaigns/{campaign_id}/{verb}")


def launch(browser: FlaskClient, person: Person, **fields: Any) -> int:
    """Returns the campaign's id."""
    answer = post(browser, **fields)
    assert answer.status_code == 302, answer.text
    return newest(person)["id"]


def newest(person: Person) -> dict[str, Any]:
    return person.get("/api/campaigns")["campaigns"][0]


def shown(person: Person, campaign_id: int) -> dict[str, Any]:
    return person.get(f"/api/campaigns/{campaign_id}")


def ledger(person: Person, campaign_id: int) -> dict[int, tuple[str, str | None]]:
    """Of each fan, the status and the reason."""
    rows = person.get(f"/api/campaigns/{campaign_id}/recipients?limit=200")["recipients"]
    return {each["fanId"]: (each["status"], each["reason"]) for each in rows}


def key_of(page: str) -> str:
    found = KEY.search(page)
    assert found
    return found[1]


def seen_in(page: str) -> str:
    """To how many it would go."""
    found = SEEN.search(page)
    assert found
    return found[1]


def change(person: Person, campaign_id: int, **values: Any) -> None:
    """What time alone would bring about."""
    with person.app.app_context(), write() as session:
        session.execute(update(Campaign).where(Campaign.id == campaign_id).values(**values))


def change_thread(person: Person, fan_id: int, **values: datetime | None) -> None:
    with person.app.app_context(), write() as session:
        session.execute(update(Conversation).where(Conversation.fan_id == fan_id).values(**values))


def sweep_once(person: Person) -> None:
    """What a worker does every two seconds, and the jobs that it asks for."""
    with person.app.app_context():
        sweep.ring_again(("links",))
        for campaign_id in preparing.unprepared_campaigns():
            preparing.prepare_campaign(campaign_id)
        for campaign_id in cancelling.unfinished():
            cancelling.cancel_waiting(campaign_id)


def send_all(person: Person) -> None:
    sweep_once(person)
    drain(person.app)


def make_due(ada: Person) -> None:
    """The night is over, or the delay."""
    with ada.app.app_context():
        with write() as session:
            session.execute(update(Message).values(due_tick=0))
        wake(ada.account_id)


def fail_to_one(ada: Person, sandbox: Sandbox, fan: int) -> None:
    """The others' turn comes an hour later."""
    with ada.app.app_context(), write() as session:
        others = update(Message).where(Message.fan_id != fan)
        session.execute(others.values(due_tick=clock.now() + 3_600 * clock.SECOND))
    sandbox.faults(refuse=1)
    drain(ada.app)
    sandbox.faults()


def counts(ada: Person, campaign: int) -> dict[str, int]:
    """Those of the books that are not 0, which add up."""
    metrics = shown(ada, campaign)["metrics"]
    parts = ("queued", "sending", "sent", "failed", "unknown", "skipped", "cancelled")
    assert metrics["recipients"] == sum(metrics[part] for part in parts)
    return {part: metrics[part] for part in parts if metrics[part]}
