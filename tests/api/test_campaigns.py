"""Campaigns over the API: what they brought by the platform's own events, their exact shape, all of them by pages."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.serving import make_server

from app.conversations import incoming, read_back
from app.database import db, utcnow, write
from app.fans.models import Fan
from app.platforms.models import Connection, StoredEvent
from app.platforms.queries import gateway_of
from tests.campaigns.composer import change, fail_to_one, make_due
from tests.people import Person, add_fan, connect
from tests.sending import drain
from tests.servers import Sandbox, http_client, wait_until

NOTHING = dict.fromkeys(
    (
        "recipients", "queued", "sending", "sent", "failed", "unknown", "skipped", "cancelled",
        "delivered", "opened", "clicked", "purchased", "revenueCents",
    ), 0,
)  # fmt: skip


class Line:
    """Between an account of the sandbox and the application, which hears of what happens there by real webhooks."""

    def __init__(self, ada: Person, sandbox: Sandbox) -> None:
        self.account = f"acct_api_{time.time_ns()}"  # the sandbox remembers chats
        self.ada, self.sandbox = ada, sandbox
        self.connection = connect(ada, sandbox.url, account=self.account)

    def fan(self, verb: str, fan: dict, **body: Any) -> None:
        self.sandbox.fan(verb, fan["platformFanId"], account=self.account, **body)

    def hear(self, count: int) -> None:
        """Works off the events that came, once there are so many."""
        with self.ada.app.app_context():
            wait_until(self._has_come(count))
            for event in db.session.scalars(select(StoredEvent.id).order_by(StoredEvent.id)).all():
                incoming.handle_event(event)
            assert set(db.session.scalars(select(StoredEvent.fault))) <= {None, ""}

    def _has_come(self, count: int):
        def is_so() -> bool:
            db.session.rollback()
            return (db.session.scalar(select(func.count()).select_from(StoredEvent)) or 0) >= count

        return is_so

    def look(self) -> None:
        """What fans have opened is not told, but read back."""
        with self.ada.app.app_context():
            read_back.read_back(self.connection)

    @contextmanager
    def listening(self) -> Iterator[None]:
        server = make_server("127.0.0.1", 0, self.ada.app, threaded=True)
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        with self.ada.app.app_context():
            connection = db.session.get_one(Connection, self.connection)
            url = f"http://127.0.0.1:{server.server_port}/webhooks/{self.connection}"
            gateway_of(connection).register_webhook(url, connection.webhook_secret)
        try:
            yield
        finally:
            self._hang_up(url)
            server.shutdown()
            server.server_close()

    def _hang_up(self, url: str) -> None:
        with http_client(self.sandbox.url, headers={"Authorization": "Bearer sandbox-test"}) as platform:
            for hook in platform.get("/api/webhooks").raise_for_status().json()["data"]:
                if hook["url"] == url:
                    platform.delete(f"/api/webhooks/{hook['id']}").raise_for_status()


@pytest.fixture
def line(ada: Person, sandbox: Sandbox) -> Iterator[Line]:
    line = Line(ada, sandbox)
    with line.listening():
        yield line


def bulk(ada: Person, fans: list[int], **more: Any) -> int:
    body = {"recipientIds": fans, "content": "x"} | more
    return ada.post("/api/messages/bulk", body, 202)["campaignId"]


def metrics(ada: Person, campaign: int) -> dict[str, int]:
    found = ada.get(f"/api/campaigns/{campaign}")["metrics"]
    (listed,) = [each["metrics"] for each in ada.get("/api/campaigns")["campaigns"] if each["id"] == campaign]
    assert listed == found
    return found


def test_what_it_brought_is_counted_from_what_the_platform_tells(app, ada: Person, sandbox: Sandbox, line: Line):
    failing, opener, buyer, both, tipper, silent = fans = [add_fan(ada, number) for number in range(1, 7)]
    blocked = add_fan(ada, 7, doNotMessage=True)
    paid = {"priceCents": 1200, "mediaUrls": ["platform:5"]}
    campaign = bulk(ada, [each["id"] for each in [*fans, blocked]], **paid)
    assert metrics(ada, campaign) == NOTHING | {"recipients": 7, "queued": 6, "skipped": 1}
    fail_to_one(ada, sandbox, failing["id"])
    make_due(ada)
    drain(app)
    so_far = NOTHING | {"recipients": 7, "sent": 5, "failed": 1, "skipped": 1}
    assert metrics(ada, campaign) == so_far
    line.hear(5)  # each stands in its chat
    so_far |= {"delivered": 5}
    assert metrics(ada, campaign) == so_far
    for fan in (opener, both):
        line.fan("open", fan)
    line.look()
    so_far |= {"opened": 2}
    assert metrics(ada, campaign) == so_far
    for fan in (buyer, both):
        line.fan("buy", fan)
    line.fan("tip", tipper, amountCents=900)
    line.fan("say", silent, text="No, thank you")
    line.hear(5 + 2 + 2 + 1)  # a tip is a message, too
    so_far |= {"purchased": 2, "revenueCents": 2400}
    assert metrics(ada, campaign) == so_far
    sandbox.redeliver(10)
    line.fan("say", silent, text="Bye")
    line.hear(11)  # they come in order: those told again are here as well
    line.look()
    so_far |= {"opened": 3}  # what was bought is open
    assert metrics(ada, campaign) == so_far


def test_another_campaign_has_no_part_in_it(app, ada: Person, line: Line):
    fan = add_fan(ada, 1)
    paid = {"priceCents": 500, "mediaUrls": ["platform:5"]}
    first, second = bulk(ada, [fan["id"]], **paid), bulk(ada, [fan["id"]], **paid)
    drain(app)
    line.fan("buy", fan)  # the newest one
    line.hear(3)
    sold = {"purchased": 1, "revenueCents": 500}
    reached = NOTHING | {"recipients": 1, "sent": 1, "delivered": 1}
    assert (metrics(ada, first), metrics(ada, second)) == (reached, reached | sold)
    line.fan("buy", fan)
    line.hear(4)
    assert metrics(ada, first) == metrics(ada, second) == reached | sold


def test_its_template_and_its_aim_are_what_was_asked_for(ada: Person, sandbox: Sandbox):
    connect(ada, sandbox.url)
    fans = [add_fan(ada, number)["id"] for number in (1, 2)]
    campaign = bulk(ada, fans, content="Look", priceCents=700, mediaUrls=["platform:5", "platform:6"])
    shown = ada.get(f"/api/campaigns/{campaign}")
    media = ["platform:5", "platform:6"]
    assert shown["template"] == {"content": "Look", "mediaUrls": media, "priceCents": 700}
    assert shown["targetAudience"] == {"fanIds": fans}
    plain = ada.get(f"/api/campaigns/{bulk(ada, fans)}")
    assert plain["template"] == {"content": "x", "mediaUrls": [], "priceCents": 0}


# --- Pages, and how many at once ---


def add_fans(person: Person, count: int) -> list[int]:
    with person.app.app_context(), write() as session:
        fans = [
            Fan(account_id=person.account_id, name=f"F{n}", platform_fan_id=str(100_000_001 + n)) for n in range(count)
        ]
        session.add_all(fans)
        session.flush()
        return [fan.id for fan in fans]


@pytest.mark.parametrize("count", [0, 5, 6, 7])
@pytest.mark.parametrize("in_one_moment", [False, True])
def test_a_walk_along_the_cursors_meets_each_campaign_once(
    ada: Person, eve: Person, sandbox: Sandbox, count: int, in_one_moment: bool
):
    for person in (ada, eve):
        connect(person, sandbox.url)
    fan, theirs = add_fan(ada)["id"], add_fan(eve)["id"]
    made = [bulk(ada, [fan]) for _ in range(count)]
    bulk(eve, [theirs])
    now = utcnow()
    for campaign in made if in_one_moment else []:
        change(ada, campaign, created_at=now)
    met, cursor = [], ""
    while cursor is not None:
        page = ada.get(f"/api/campaigns?limit=3{cursor and f'&cursor={cursor}'}")
        assert set(page) == {"campaigns", "total", "nextCursor"}
        assert page["total"] == count
        met += [each["id"] for each in page["campaigns"]]
        cursor = page["nextCursor"]
        assert len(met) <= count
    assert met == made[::-1], "the newest first"


def test_a_hundred_at_once_are_taken_and_one_more_is_refused_by_its_field(ada: Person, sandbox: Sandbox):
    connect(ada, sandbox.url)
    fans = add_fans(ada, 101)
    refused = ada.call("POST", "/api/messages/bulk", json={"recipientIds": fans, "content": "x"})
    assert (refused.status_code, refused.mimetype) == (400, "application/problem+json")
    assert [each["field"] for each in refused.json["errors"]] == ["recipientIds"]
    assert ada.get("/api/campaigns")["total"] == 0
    answer = ada.post("/api/messages/bulk", {"recipientIds": fans[:100], "content": "x"}, 202)
    assert (answer["totalRecipients"], answer["queued"], answer["skipped"]) == (100, 100, [])
    assert metrics(ada, answer["campaignId"]) == NOTHING | {"recipients": 100, "queued": 100}
