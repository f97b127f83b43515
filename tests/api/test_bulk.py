import pytest
from sqlalchemy import select

from app.conversations import outbox
from app.conversations.models import Message, MessageStatus
from app.database import db, write
from tests.people import Person, add_fan, connect

CAMPAIGN = {
    "id", "name", "type", "status", "template", "targetAudience", "metrics", "scheduledAt", "startedAt", "completedAt",
    "estimatedCompletionTime",
}  # fmt: skip


def books_add_up(metrics: dict) -> bool:
    parts = ("queued", "sending", "sent", "failed", "unknown", "skipped", "cancelled")
    return metrics["recipients"] == sum(metrics[name] for name in parts)


def test_a_bulk_message_reaches_each_fan_once_and_says_who_is_left_out(app, ada: Person, sandbox):
    connect(ada, sandbox.url, account="acct_bulk")
    fans = [add_fan(ada, number) for number in range(1, 4)]
    silent, unlinked = add_fan(ada, 8, doNotMessage=True), add_fan(ada, 9, platformFanId=None)
    ids = [fan["id"] for fan in (*fans, fans[0], silent, unlinked)]
    body = {"recipientIds": ids, "content": "hello all", "campaignName": "Autumn"}
    answer = ada.post("/api/messages/bulk", body, 202)
    assert answer["status"] == "queued"
    assert (answer["totalRecipients"], answer["queued"], answer["failed"]) == (5, 3, 0)
    assert answer["skipped"] == [
        {"fanId": silent["id"], "reason": "do_not_message"},
        {"fanId": unlinked["id"], "reason": "not_linked"},
    ]
    assert answer["estimatedCompletionTime"]
    with app.app_context():
        outbox.drain()
    campaign = ada.get(f"/api/campaigns/{answer['campaignId']}")
    assert set(campaign) == CAMPAIGN
    assert (campaign["status"], campaign["name"], campaign["metrics"]["sent"]) == ("completed", "Autumn", 3)
    assert campaign["completedAt"]
    assert books_add_up(campaign["metrics"])
    assert len(sandbox.sends("acct_bulk")) == 3
    ledger = ada.get(f"/api/campaigns/{answer['campaignId']}/recipients?limit=2")
    assert ledger["total"] == 5
    assert set(ledger["recipients"][0]) == {"fanId", "name", "handle", "status", "reason", "messageId", "updatedAt"}
    assert ada.get(f"/api/campaigns/{answer['campaignId']}/recipients?status=skipped")["total"] == 2
    assert ada.get(f"/api/campaigns/{answer['campaignId']}/recipients?status=sent")["total"] == 3
    with app.app_context(), write():
        parts = (MessageStatus.DELIVERED, MessageStatus.READ, MessageStatus.SENT)
        for status, message in zip(parts, db.session.scalars(select(Message).order_by(Message.id)), strict=True):
            message.status = status
    for status in ("sent", "delivered"):
        counted = ada.get(f"/api/campaigns/{answer['campaignId']}")["metrics"][status]
        assert ada.get(f"/api/campaigns/{answer['campaignId']}/recipients?status={status}")["total"] == counted > 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"recipientIds": []}, "recipientIds"),
        ({"recipientIds": list(range(1, 102))}, "recipientIds"),
        ({"recipientIds": "all"}, "recipientIds"),
        ({"recipientIds": ["1"]}, "recipientIds.0"),
        ({"recipientIds": [999999]}, "recipientIds"),
        ({"content": ""}, "content"),
        ({"content": "x" * 5001}, "content"),
        ({"content": "   "}, "content"),
        ({"priority": 0}, "priority"),
        ({"priority": 11}, "priority"),
        ({"campaignName": "x" * 256}, "campaignName"),
        ({"campaignName": ""}, "campaignName"),
        ({"priceCents": 500}, "priceCents"),
        ({"mediaUrls": ["nowhere"]}, "mediaUrls.0"),
        ({"subject": "x"}, "subject"),
    ],
)
def test_bad_input_names_its_field_and_makes_nothing(ada: Person, sandbox, change, field):
    connect(ada, sandbox.url)
    body = {"recipientIds": [add_fan(ada)["id"]], "content": "x"} | change
    answer = ada.call("POST", "/api/messages/bulk", json=body)
    assert answer.status_code == 400, answer.text
    assert field in [error["field"] for error in answer.json["errors"]], answer.json
    assert ada.get("/api/campaigns")["total"] == 0


def test_a_paused_campaign_sends_nothing_until_it_is_resumed(app, ada: Person, sandbox):
    connect(ada, sandbox.url, account="acct_pause")
    fans = [add_fan(ada, number)["id"] for number in range(1, 4)]
    campaign = (
        f"/api/campaigns/{ada.post('/api/messages/bulk', {'recipientIds': fans, 'content': 'x'}, 202)['campaignId']}"
    )
    assert ada.post(f"{campaign}/pause", status=200)["status"] == "paused"
    assert ada.call("POST", f"{campaign}/pause").status_code == 409
    with app.app_context():
        outbox.drain()
    assert sandbox.sends("acct_pause") == []
    assert ada.post(f"{campaign}/resume", status=200)["status"] == "active"
    with app.app_context():
        outbox.drain()
    assert len(sandbox.sends("acct_pause")) == 3
    for verb in ("pause", "resume", "cancel", "retry-failed"):
        assert ada.call("POST", f"{campaign}/{verb}").status_code == 409, verb


def test_a_cancelled_campaign_sends_no_more_and_its_books_add_up(app, ada: Person, sandbox):
    connect(ada, sandbox.url, account="acct_cancel")
    fans = [add_fan(ada, number)["id"] for number in range(1, 4)]
    campaign = (
        f"/api/campaigns/{ada.post('/api/messages/bulk', {'recipientIds': fans, 'content': 'x'}, 202)['campaignId']}"
    )
    cancelled = ada.post(f"{campaign}/cancel", status=200)
    assert (cancelled["status"], cancelled["metrics"]["cancelled"]) == ("cancelled", 3)
    assert books_add_up(cancelled["metrics"])
    with app.app_context():
        outbox.drain()
    assert sandbox.sends("acct_cancel") == []


def test_only_the_failed_are_retried(app, ada: Person, sandbox):
    connect(ada, sandbox.url, account="acct_again")
    fans = [add_fan(ada, number)["id"] for number in range(1, 11)]
    campaign = (
        f"/api/campaigns/{ada.post('/api/messages/bulk', {'recipientIds': fans, 'content': 'x'}, 202)['campaignId']}"
    )
    sandbox.faults(refuse=0.5, seed=1)
    with app.app_context():
        outbox.drain()
    failed = ada.get(campaign)["metrics"]["failed"]
    assert 0 < failed < 10
    sandbox.faults()
    again = ada.post(f"{campaign}/retry-failed", status=200)
    assert (again["status"], again["metrics"]["queued"]) == ("active", failed)
    with app.app_context():
        outbox.drain()
    metrics = ada.get(campaign)["metrics"]
    assert (metrics["sent"], metrics["failed"]) == (10, 0)
    assert len([each for each in sandbox.sends("acct_again") if each["outcome"] == "accepted"]) == 10


def test_five_bulk_messages_an_hour_and_a_refused_one_does_not_count(app, ada: Person, sandbox, monkeypatch):
    connect(ada, sandbox.url)
    monkeypatch.setitem(app.config, "LIMIT_BULK", "2/hour")
    body = {"recipientIds": [add_fan(ada)["id"]], "content": "x"}
    for _ in range(3):
        assert ada.call("POST", "/api/messages/bulk", json={}).status_code == 400
    answers = [ada.call("POST", "/api/messages/bulk", json=body).status_code for _ in range(3)]
    assert answers == [202, 202, 429]
    assert ada.call("POST", "/api/crm/fans", json={"name": "not affected"}).status_code == 201
