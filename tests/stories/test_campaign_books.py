"""The books of a campaign add up at every moment: recipients = queued + sending + sent + failed + unknown + skipped +
cancelled; whatever people press, whoever dies, and whatever becomes of fans meanwhile."""

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from app import clock
from app.campaigns import actions, preparing
from app.conversations import actions as conversations
from app.conversations import claims, outcomes
from app.conversations.models import Message
from app.database import db, utcnow, write
from app.errors import Conflict, NotFound
from tests.campaigns.composer import change_thread, launch, press, shown
from tests.conftest import empty_tables
from tests.people import add_fan, connect, make_person
from tests.sending import drain
from tests.servers import Sandbox

FANS = 10
PARTS = ("queued", "sending", "sent", "failed", "unknown", "skipped", "cancelled")
HAPPENINGS = (
    "prepare", "send", "pause", "resume", "cancel", "retry", "killed", "leases end", "platform refuses", "platform is well",
    "a fan writes", "a fan goes",
)  # fmt: skip


class Story:
    def __init__(self, app, sandbox: Sandbox) -> None:
        with app.app_context():
            empty_tables()
        sandbox.reset()
        self.app, self.sandbox, self.count = app, sandbox, FANS
        self.ada = make_person(app, "ada@example.com", "Ada")
        connect(self.ada, sandbox.url)
        self.browser: FlaskClient = self.ada.browser()
        self.fans = [add_fan(self.ada, number)["id"] for number in range(1, FANS + 1)]
        self.campaign = launch(self.browser, self.ada, audience="all", unanswered="y", **{"wordings-0": "Or this"})

    def happen(self, what: str, which: int) -> None:
        fan = self.fans[which]
        with self.app.app_context():
            if what == "prepare":
                preparing.prepare_campaign(self.campaign)
            elif what == "killed":
                claims.claim_due(1)
            elif what == "leases end":
                with write() as session:
                    session.execute(update(Message).where(Message.status == "sending").values(lease_tick=clock.now()))
                claims.wake(self.ada.account_id)
            elif what == "a fan goes" and len(self.fans) > 1:
                self._remove(fan)
        if what == "send":
            drain(self.app)
        elif what in ("pause", "resume", "cancel"):
            press(self.browser, self.campaign, what)
        elif what == "retry":
            press(self.browser, self.campaign, "retry-failed")
        elif what == "a fan writes":
            change_thread(self.ada, fan, waiting_since=utcnow())
        elif what.startswith("platform"):
            self.sandbox.faults(**({"refuse": 0.5, "dropAfterAccept": 0.2} if what == "platform refuses" else {}))

    def _remove(self, fan: int) -> None:
        try:
            conversations.remove_fan(self.ada.account_id, fan)
            self.fans.remove(fan)
        except (Conflict, NotFound):
            pass

    def check(self) -> None:
        metrics = shown(self.ada, self.campaign)["metrics"]
        assert metrics["recipients"] == sum(metrics[part] for part in PARTS) == FANS, metrics
        rows = self.ada.get(f"/api/campaigns/{self.campaign}/recipients?limit=200")
        assert rows["total"] == FANS
        listed = {part: sum(_part_of(each["status"]) == part for each in rows["recipients"]) for part in PARTS}
        assert listed == {part: metrics[part] for part in PARTS}, "the ledger and the books say the same"


def _part_of(status: str) -> str:
    return "sent" if status in ("delivered", "read") else status


@pytest.fixture
def small(monkeypatch, app) -> None:
    """Sizes, so that a handful of fans is a long campaign; and short waits."""
    monkeypatch.setattr(preparing, "AT_ONCE", 3)
    monkeypatch.setattr(actions, "AT_ONCE", 3)
    monkeypatch.setitem(app.config, "SEND_BACKOFF_SECONDS", (0.01, 0.02))
    monkeypatch.setattr(outcomes, "LIMITED_SECONDS", (0.01, 0.01, 0.01))


@given(story=st.lists(st.tuples(st.sampled_from(HAPPENINGS), st.integers(0, FANS - 1)), min_size=4, max_size=14))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_books_add_up_at_every_moment(small, app, sandbox: Sandbox, story: list[tuple[str, int]]):
    told = Story(app, sandbox)
    told.check()
    for what, which in story:
        told.happen(what, which % len(told.fans))
        told.check()
    told.happen("platform is well", 0)
    told.happen("resume", 0)
    for _ in range(4):
        told.happen("prepare", 0)
        told.happen("leases end", 0)
        told.happen("send", 0)
    told.check()
    with app.app_context():
        sent = list(db.session.scalars(select(Message.platform_message_id).where(Message.status == "sent")))
    assert len(set(sent)) == len(sent)
    chats = [each["chatId"] for each in sandbox.sends() if each["outcome"] == "accepted"]
    assert len(chats) == len(set(chats)), "nobody got it twice"
