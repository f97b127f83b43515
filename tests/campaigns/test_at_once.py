"""Two people who press in the same moment: one result, nothing twice, and the log says what was done."""

from collections import Counter
from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.accounts.models import AuditEntry
from app.conversations.models import Message
from app.database import db
from tests.campaigns.composer import FILLED, counts, fail_to_one, launch, make_due, newest, post, press, shown
from tests.people import Person, add_fan, csrf_of, make_person
from tests.sending import drain
from tests.servers import Sandbox

ACTS = {
    "pause": "campaign_paused", "resume": "campaign_resumed", "cancel": "campaign_cancelled",
    "retry-failed": "campaign_retried",
}  # fmt: skip
CASES = [  # in which state, who presses what, what becomes of it
    ("active", ("pause", "pause"), "paused"),
    ("active", ("pause", "cancel"), "cancelled"),
    ("active", ("cancel", "cancel"), "cancelled"),
    ("active", ("retry-failed", "retry-failed"), "active"),
    ("paused", ("resume", "resume"), "active"),
    ("paused", ("resume", "cancel"), "cancelled"),
    ("paused", ("retry-failed", "retry-failed"), "paused"),
]
ROUNDS = 4


@pytest.fixture
def bob(app, ada: Person) -> Person:
    return make_person(app, "bob@example.com", "Ada's account", "manager")


@pytest.fixture
def fans(ada: Person, connected: Sandbox) -> list[int]:
    """The last one is left out of every campaign."""
    return [add_fan(ada, number, doNotMessage=number == 4)["id"] for number in range(1, 5)]


def start(browser: FlaskClient, ada: Person, sandbox: Sandbox, fans: list[int], state: str) -> int:
    """One failed, two wait, one is skipped."""
    campaign = launch(browser, ada, audience="all")
    fail_to_one(ada, sandbox, fans[0])
    if state == "paused":
        press(browser, campaign, "pause")
    assert counts(ada, campaign) == {"queued": 2, "failed": 1, "skipped": 1}
    return campaign


def by_api(person: Person, campaign: int, verb: str) -> Callable[[], bool]:
    """Presses, and says whether it was done."""

    def press() -> bool:
        answer = person.call("POST", f"/api/campaigns/{campaign}/{verb}")
        assert answer.status_code in (200, 409), answer.text
        return answer.status_code == 200

    return press


def on_the_page(person: Person, campaign: int, verb: str) -> Callable[[], bool]:
    client = person.browser()
    token = csrf_of(client, "/fans")

    def press() -> bool:
        answer = client.post(f"/campaigns/{campaign}/{verb}", data={"csrf_token": token})
        assert answer.status_code == 302, answer.text
        return "notice-good" in client.get(answer.location).text

    return press


def at_once(*presses: Callable[[], Any], begins: int = 0) -> list[Any]:
    """What each says; all begin in the same moment. Of two, whose thread is made last often comes first: `begins` turns
    the order."""
    start, said = Barrier(len(presses)), dict[int, Any]()

    def run(place: int) -> None:
        start.wait(10)
        said[place] = presses[place]()

    count = len(presses)
    threads = [Thread(target=run, args=((begins + place) % count,)) for place in range(count)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(said) == count, "one broke"
    return [said[place] for place in range(count)]


def logged(ada: Person, campaign: int) -> Counter[str]:
    with ada.app.app_context():
        rows = select(AuditEntry.act).where(AuditEntry.about_kind == "campaign", AuditEntry.about_id == campaign)
        return Counter(db.session.scalars(rows.where(AuditEntry.account_id == ada.account_id)))


def messages_of(ada: Person, campaign: int) -> int:
    with ada.app.app_context():
        return db.session.scalar(select(func.count()).where(Message.campaign_id == campaign)) or 0


def arrived(ada: Person, sandbox: Sandbox) -> list[int]:
    """The numbers of the fans to whom a message came, after all that may go went."""
    make_due(ada)
    drain(ada.app)
    return sorted(int(each["chatId"]) - 100_000_000 for each in sandbox.sends() if each["outcome"] == "accepted")


def expected(verbs: tuple[str, str], becomes: str) -> tuple[dict[str, int], list[int]]:
    """The books, and which fans it comes to in the end."""
    if "cancel" in verbs:
        return {"cancelled": 2, "failed": 1, "skipped": 1}, []
    if "retry-failed" in verbs:
        return {"queued": 3, "skipped": 1}, [1, 2, 3] if becomes == "active" else []
    return {"queued": 2, "failed": 1, "skipped": 1}, [2, 3] if becomes == "active" else []


@pytest.mark.parametrize("press_second", [by_api, on_the_page])
@pytest.mark.parametrize(
    ("state", "verbs", "becomes"), CASES, ids=[f"{each[0]}: {'+'.join(each[1])}" for each in CASES]
)
def test_two_who_press_at_once(
    browser: FlaskClient, ada: Person, bob: Person, connected: Sandbox, fans, state, verbs, becomes, press_second
):
    for number in range(ROUNDS):
        campaign = start(browser, ada, connected, fans, state)
        before = logged(ada, campaign)
        done = at_once(by_api(ada, campaign, verbs[0]), press_second(bob, campaign, verbs[1]), begins=number)
        if verbs[0] == verbs[1]:
            assert sorted(done) == [False, True]
        else:
            assert done[1], "a cancel is done, whatever comes before it"
        pressed = Counter(ACTS[verb] for verb, is_done in zip(verbs, done, strict=True) if is_done)
        assert logged(ada, campaign) - before == pressed
        books, reached = expected(verbs, becomes)
        assert (shown(ada, campaign)["status"], counts(ada, campaign)) == (becomes, books)
        assert messages_of(ada, campaign) == 3
        connected.reset()
        assert arrived(ada, connected) == reached
        press(browser, campaign, "cancel")


@pytest.mark.parametrize("path", ["discard", "new", "outlook"], ids=["discards it too", "launches it", "writes in it"])
def test_a_draft_that_is_discarded_while_somebody_is_at_it_breaks_nothing(
    browser: FlaskClient, ada: Person, bob: Person, fans: list[int], path: str
):
    clients = [ada.browser(), bob.browser()]
    tokens = [csrf_of(client, "/fans") for client in clients]

    def pressing(who: int, address: str, fields: dict[str, str]) -> Callable[[], int]:
        return lambda: clients[who].post(address, data=fields | {"csrf_token": tokens[who]}).status_code

    for number in range(12):
        fields = FILLED | {"audience": "all", "key": f"{number:032x}"}
        post(browser, do="draft", **fields)
        draft = newest(ada)["id"]
        address = f"/campaigns/{draft}/discard" if path == "discard" else f"/campaigns/{path}"
        discarded, answer = at_once(
            pressing(0, f"/campaigns/{draft}/discard", {}), pressing(1, address, fields), begins=number
        )
        assert {discarded, answer} <= {200, 302, 404, 409}
