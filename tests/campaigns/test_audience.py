"""Whom a campaign reaches: each guard with a fan on either side of it, texts filled in, and audiences prepared in sets."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from app import sweep
from app.campaigns import actions, preparing
from app.campaigns.actions import Plan
from app.campaigns.audience import Audience, Selection, outlook
from app.campaigns.models import Campaign, Recipient
from app.conversations.actions import Draft
from app.conversations.guards import Guards
from app.conversations.models import Conversation, Message
from app.database import db, utcnow, write
from app.platforms.queries import first_connection
from app.segments.rules import EVERYBODY, parse
from tests.people import Person, add_fan
from tests.sending import drain

VIP = {"match": "all", "rules": [{"field": "tag", "op": "is", "value": "VIP"}]}


@pytest.fixture
def in_sets_of_three(monkeypatch) -> None:
    """A size, so that a handful of fans is a long campaign."""
    monkeypatch.setattr(preparing, "AT_ONCE", 3)
    monkeypatch.setattr(actions, "AT_ONCE", 3)


def launch(ada: Person, text: str = "Hello", *, rule: dict | None = None, guards: Guards | None = None) -> int:
    with ada.app.app_context():
        plan = Plan(
            (), Draft(text), name="C", rule=parse(rule or {"rules": []}), guards=guards or Guards(), is_template=True
        )
        return actions.launch(ada.account_id, plan).id


def ledger(ada: Person, campaign: int) -> dict[int, tuple[str, str | None]]:
    rows = ada.get(f"/api/campaigns/{campaign}/recipients?limit=200")["recipients"]
    return {each["fanId"]: (each["status"], each["reason"]) for each in rows}


def books(ada: Person, campaign: int) -> dict[str, int]:
    metrics = ada.get(f"/api/campaigns/{campaign}")["metrics"]
    parts = ("queued", "sending", "sent", "failed", "unknown", "skipped", "cancelled")
    assert metrics["recipients"] == sum(metrics[part] for part in parts)
    return metrics


def texts(ada: Person) -> list[str]:
    with ada.app.app_context():
        return sorted(db.session.scalars(select(Message.text)))


def test_only_those_whom_the_rule_finds_are_considered(ada: Person, eve: Person, connected):
    inside, outside = add_fan(ada, 1, tags=["VIP"]), add_fan(ada, 2)
    add_fan(eve, 1, tags=["VIP"])
    campaign = launch(ada, rule=VIP)
    assert ledger(ada, campaign) == {inside["id"]: ("queued", None)}
    ada.put(f"/api/crm/fans/{outside['id']}", {"tags": ["VIP"]})
    assert books(ada, campaign)["recipients"] == 1, "the audience is frozen"


def test_each_guard_spares_the_one_and_not_the_other(app, ada: Person, connected):
    names = ("plain", "blocked", "unlinked", "waiting", "lately")
    fans = {name: add_fan(ada, number)["id"] for number, name in enumerate(names, 1)}
    ada.put(f"/api/crm/fans/{fans['blocked']}", {"doNotMessage": True})
    ada.put(f"/api/crm/fans/{fans['unlinked']}", {"platformFanId": None})
    for name in ("waiting", "lately"):
        ada.post("/api/crm/conversations", {"fanId": fans[name]})
    with app.app_context(), write() as session:
        of = Conversation.fan_id
        waits = update(Conversation).where(of == fans["waiting"]).values(waiting_since=utcnow())
        wrote = update(Conversation).where(of == fans["lately"]).values(we_wrote_at=utcnow() - timedelta(hours=5))
        session.execute(waits)
        session.execute(wrote)
    always = {"blocked": "do_not_message", "unlinked": "not_linked"}
    for guards, spared in (
        (Guards(), {}),
        (Guards(unanswered=True), {"waiting": "unanswered"}),
        (Guards(messaged_within_hours=6), {"lately": "messaged_recently"}),
        (Guards(messaged_within_hours=4), {}),
        (Guards(unanswered=True, messaged_within_hours=6), {"waiting": "unanswered", "lately": "messaged_recently"}),
    ):
        reasons = always | spared
        with app.app_context():
            connection = first_connection(ada.account_id, "onlyfans")
            seen = outlook(Selection(ada.account_id, Audience(EVERYBODY), connection, guards))
        assert seen.left_out == dict.fromkeys(reasons.values(), 1)
        assert (seen.included, seen.considered) == (5 - len(reasons), 5)
        campaign = launch(ada, guards=guards)
        assert ledger(ada, campaign) == {
            fan_id: ("skipped", reasons[name]) if name in reasons else ("queued", None) for name, fan_id in fans.items()
        }
        books(ada, campaign)


def test_the_text_is_filled_in_for_each_fan(app, ada: Person, connected):
    add_fan(ada, 1, name="Zoë Müller")
    add_fan(ada, 2, name="u12345")
    campaign = launch(ada, 'Hi {{first_name|love}}, "quotes" & \\{{braces}} 🌙')
    assert texts(ada) == ['Hi Zoë, "quotes" & {{braces}} 🌙', 'Hi love, "quotes" & {{braces}} 🌙']
    assert ada.get("/api/crm/messages?search=zoe")["total"] == 1
    drain(app)
    assert books(ada, campaign)["sent"] == 2


def test_a_program_that_writes_braces_means_them(ada: Person, connected):
    fan = add_fan(ada, 1, name="Zoë")
    ada.post("/api/messages/bulk", {"recipientIds": [fan["id"]], "content": "{{first_name}}"}, 202)
    assert texts(ada) == ["{{first_name}}"]


def test_a_long_one_is_prepared_in_sets_and_its_books_add_up_all_along(app, ada: Person, connected, in_sets_of_three):
    fans = [add_fan(ada, number)["id"] for number in range(1, 12)]
    ada.put(f"/api/crm/fans/{fans[4]}", {"doNotMessage": True})
    campaign = launch(ada)
    assert texts(ada) == []
    assert books(ada, campaign) | {"queued": 10, "skipped": 1} == books(ada, campaign)
    assert ada.get(f"/api/campaigns/{campaign}")["status"] == "active", "with nothing made yet it is not completed"
    for made in (3, 6, 9, 10, 10):
        with app.app_context(), write():
            preparing.prepare_set(campaign)
        assert len(texts(ada)) == made
        assert books(ada, campaign)["queued"] == 10
    drain(app)
    assert books(ada, campaign)["sent"] == 10
    assert ada.get(f"/api/campaigns/{campaign}")["status"] == "completed"
    with app.app_context():
        keys = select(func.count(func.distinct(Message.idempotency_key)))
        assert db.session.scalar(keys) == 10
        assert db.session.scalar(select(func.count()).where(Recipient.message_id.is_not(None))) == 10


def test_what_nobody_has_prepared_is_found_by_the_sweep(app, ada: Person, connected, in_sets_of_three):
    for number in range(1, 9):
        add_fan(ada, number)
    campaign = launch(ada)
    with app.app_context():
        assert preparing.unprepared_campaigns() == [campaign]
        sweep.ring_again(("links",))
        preparing.prepare_campaign(campaign)
        preparing.prepare_campaign(campaign)
        assert preparing.unprepared_campaigns() == []
    assert len(texts(ada)) == 8


def test_one_that_is_cancelled_or_paused_half_way(app, ada: Person, connected, in_sets_of_three):
    for number in range(1, 9):
        add_fan(ada, number)
    paused, cancelled = launch(ada), launch(ada)
    with app.app_context(), write():
        preparing.prepare_set(cancelled)
    ada.post(f"/api/campaigns/{paused}/pause", status=200)
    ada.post(f"/api/campaigns/{cancelled}/cancel", status=200)
    with app.app_context():
        preparing.prepare_campaign(paused)
        preparing.prepare_campaign(cancelled)
    metrics = books(ada, cancelled)
    assert (metrics["cancelled"], metrics["skipped"]) == (3, 5)
    assert books(ada, paused)["queued"] == 8
    drain(app)
    assert books(ada, paused)["sent"] == 0
    ada.post(f"/api/campaigns/{paused}/resume", status=200)
    drain(app)
    assert books(ada, paused)["sent"] == 8


def test_a_fan_who_goes_before_their_message_is_made_is_counted_with_the_reason(
    app, ada: Person, connected, in_sets_of_three
):
    fans = [add_fan(ada, number)["id"] for number in range(1, 6)]
    campaign = launch(ada)
    assert ada.call("DELETE", f"/api/crm/fans/{fans[0]}").status_code == 204
    with app.app_context():
        preparing.prepare_campaign(campaign)
        rows = select(Recipient.skip_reason).where(Recipient.skip_reason.is_not(None))
        assert list(db.session.scalars(rows)) == [preparing.FAN_GONE]
    assert books(ada, campaign)["queued"] == 4


def test_watchers_hear_of_each_message(app, ada: Person, connected):
    fan = add_fan(ada, 1)["id"]
    thread = ada.post("/api/crm/conversations", {"fanId": fan})["id"]
    with app.app_context():
        before = db.session.get_one(Conversation, thread).seq
    launch(ada)
    with app.app_context():
        assert db.session.get_one(Conversation, thread).seq == before + 1


# --- On the page ---


@pytest.fixture
def browser(ada: Person, connected) -> FlaskClient:
    add_fan(ada, 1, name="Zoë", tags=["VIP"])
    add_fan(ada, 2, name="u99", doNotMessage=True)
    return ada.browser()


def post(browser: FlaskClient, path: str = "/campaigns/new", **fields: str):
    """It goes to Zoë alone, which the page has said."""
    token = browser.get("/fans").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    return browser.post(path, data={"csrf_token": token, "priority": "5", "name": "News", "seen": "1", **fields})


def test_before_it_goes_the_page_says_who_gets_it_who_not_and_what_they_read(browser: FlaskClient):
    for path in ("/campaigns/outlook", "/campaigns/new"):
        page = post(browser, path, audience="all", text="Hi {{first_name}} and {{nonsense}}", do="look").text
        assert "1 fan<" in page
        assert "must not be messaged" in page
        assert "Hi Zoë" in page
        assert "Done about" in page
        assert "{{nonsense}}: not known" in page
    empty = post(browser, "/campaigns/outlook", audience="ready:big-spenders", text="x").text
    assert "No fan is in this audience now." in empty
    assert "1 fan<" in browser.get("/campaigns/new?audience=tag:VIP").text


def test_sent_to_a_segment_it_keeps_the_rule_and_says_so(app, ada: Person, browser: FlaskClient):
    segment = ada.post("/api/segments", {"name": "Best", "rule": VIP})["id"]
    answer = post(browser, audience=f"segment:{segment}", text="Hi {{first_name}}", unanswered="y")
    assert answer.status_code == 302, answer.text
    shown = ada.get("/api/campaigns")["campaigns"][0]
    assert shown["targetAudience"] == {"rule": VIP, "words": "the segment Best"}
    assert shown["metrics"]["recipients"] == 1
    assert texts(ada) == ["Hi Zoë"]
    with app.app_context():
        assert Guards.of(db.session.scalars(select(Campaign)).one().guards) == Guards(unanswered=True)
    ada.call("DELETE", f"/api/segments/{segment}")
    assert browser.get(f"/campaigns/{shown['id']}").status_code == 200


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"audience": "segment:999", "text": "x"}, "This audience is no longer there."),
        ({"audience": "ready:big-spenders", "text": "x"}, "No fan would get this."),
        ({"audience": "all", "text": "x", "messaged_within_hours": "0"}, "From 1 to 2,160."),
        ({"audience": "all", "text": " "}, "Write something, or attach a file."),
    ],
)
def test_what_cannot_be_is_said_beside_the_field_and_nothing_is_launched(
    ada: Person, browser, fields: dict, words: str
):
    answer = post(browser, **fields)
    assert answer.status_code == 400
    assert words in answer.text
    drafts = ada.get("/api/campaigns")["campaigns"]
    assert [(each["status"], each["metrics"]["recipients"]) for each in drafts] == [("draft", 0)]


def test_anothers_segment_is_no_choice(ada: Person, eve: Person, browser: FlaskClient):
    theirs = eve.post("/api/segments", {"name": "Theirs", "rule": VIP})["id"]
    assert post(browser, audience=f"segment:{theirs}", text="x").status_code == 400


def test_the_campaigns_page_says_whom_it_was_for(ada: Person, browser: FlaskClient):
    post(browser, audience="tag:VIP", text="Hi", unanswered="y", messaged_within_hours="6")
    page = browser.get(f"/campaigns/{ada.get('/api/campaigns')['campaigns'][0]['id']}").text
    assert "It went to all tagged VIP" in page
    assert "not to those whose own message waits for an answer" in page
    assert "in the 6 hours before" in page
