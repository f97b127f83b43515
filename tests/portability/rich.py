"""An account with something in every table, and exports as they can be compared."""

import io
import json
import zipfile
from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from apiflask import APIFlask
from sqlalchemy import update

from app.accounts import actions as accounts
from app.accounts import queries
from app.campaigns.models import Stay
from app.conversations import drafts, notes, saved_views, sending_later, triage
from app.conversations.actions import Draft
from app.conversations.desk_models import LaterReply
from app.conversations.models import Message
from app.database import db, utcnow, write
from app.fans.models import Fan
from app.imports.models import RememberedMapping
from app.money.actions import record_transaction
from app.money.models import Attribution, Transaction
from app.platforms.models import Connection, StoredEvent
from app.portability.catalogue import PARTS
from app.portability.exporting import export_account
from app.portability.importing import import_account
from app.quick_replies import actions as replies
from app.segments import actions as segments
from app.segments.rules import parse
from tests.contract.schemathesis_run import things_of_every_kind
from tests.people import PASSWORD, Person
from tests.sending import drain

PICTURE = b"\x89PNG\r\n\x1a\n" + b"a picture of hers" * 4
SECRETS = ("sandbox-test", "argon2", "api_key", "password_hash")
Tables = dict[str, list[dict[str, Any]]]


def fill(person: Person, sandbox_url: str) -> dict[str, list[int]]:
    """Everything has happened; nothing waits."""
    ids = things_of_every_kind(person, sandbox_url, 2)
    thread_id, fan_id = ids["conversation_id"][0], ids["fan_id"][0]
    medium = person.call("POST", "/api/media", data={"file": (io.BytesIO(PICTURE), "a.png")}).get_json()
    attachment = {"url": medium["url"], "type": "photo", "name": "a.png"}
    paid = {"text": "Look at this", "priceCents": 500, "attachments": [attachment]}
    person.post(f"/api/crm/conversations/{thread_id}/messages", paid, 202)
    drain(person.app)
    with person.app.app_context():
        account_id, user_id = person.account_id, person.user_id
        connection = db.session.query(Connection).filter_by(account_id=account_id).one()
        triage.change(account_id, thread_id, triage.assigned(account_id, user_id))
        notes.add_note(account_id, thread_id, user_id, "Loves the sea")
        replies.add_reply(account_id, user_id, replies.Wording("hi", "Greeting", "Hi {{first_name|love}}"))
        saved_views.save_view(account_id, user_id, name="Big", is_shared=True, place="inbox", address={"spent": "100"})
        got = {"field": "campaign", "op": "got", "value": ids["campaign_id"][0]}
        of_file = {"field": "file", "op": "is", "value": ids["import_id"][0]}
        bought = {"match": "all", "rules": [got, {"match": "none", "rules": [of_file]}]}
        segments.save_segment(account_id, user_id, "Got the first", parse(bought))
        draft = Draft(text="Later, with care", author_id=user_id)
        sending_later.send_later(account_id, thread_id, draft, utcnow() + timedelta(days=1), unless_answered=True)
        drafts.save_draft(
            account_id, thread_id, user_id, text="Not sent yet", price_cents=0, client_message_id="d1",
            attachments=[attachment],
        )  # fmt: skip
        with write() as session:
            session.execute(update(LaterReply).values(status="cancelled", reason="They wrote first"))
            fan = session.get_one(Fan, fan_id)
            paid_for = session.query(Message).filter_by(account_id=account_id, price_cents=500).one()
            record_transaction(
                fan,
                transaction_id="t1",
                kind="message",
                gross_cents=500,
                net_cents=400,
                at=utcnow(),
                message_id=paid_for.id,
            )
            session.flush()
            transaction = (
                session.query(Transaction).filter_by(account_id=account_id, platform_transaction_id="t1").one()
            )
            session.add(
                Attribution(
                    account_id=account_id,
                    transaction_id=transaction.id,
                    by_id=user_id,
                    is_by_hand=True,
                    seller_id=user_id,
                )
            )
            session.add_all([
                Stay(account_id=account_id, campaign_id=ids["campaign_id"][0], fan_id=fan_id, began_at=utcnow()),
                RememberedMapping(account_id=account_id, header_key="a|b", kind="fans", columns=[{"index": 0}], options={}),
                StoredEvent(
                    account_id=account_id, connection_id=connection.id, event_key="e1", body={"says": "hello"},
                    handled_at=utcnow(),
                ),
            ])  # fmt: skip
    person.browser().get(f"/messages/onlyfans/{thread_id}")
    return ids | {"medium_id": [medium["id"]], "paid_to": [fan_id]}


def export_to(app: APIFlask, account_id: int, path: Path) -> Path:
    with app.app_context():
        export_account(account_id, path)
    return path


def bring(app, path: Path) -> Person:
    """The account in an instance, and its owner there with a password."""
    with app.app_context():
        account = import_account(path)
        user = queries.find_user_by_email("ada@example.com")
        assert user is not None
        accounts.change_password(user, PASSWORD)
        token = accounts.issue_token(user, account.id)
        return Person(app, user.email, user.id, account.id, token)


def tables_in(path: Path) -> Tables:
    """Each file's rows, without ids of one instance alone: each id is its place among those of its table."""
    with zipfile.ZipFile(path) as file:
        names = [name for name in file.namelist() if name.endswith(".jsonl")]
        found = {name: [json.loads(line) for line in file.read(name).splitlines()] for name in names}
    places: dict[str, dict[int, int]] = defaultdict(dict)
    for name, rows in found.items():
        table = "users" if name == "people.jsonl" else name.removesuffix(".jsonl")
        places[table] = {
            row_id: place for place, row_id in enumerate(sorted(row["id"] for row in rows if "id" in row), 1)
        }
    for part in PARTS:
        for row in found[f"{part.name}.jsonl"]:
            part.rewrite(row, lambda table, old: places[table].get(old, 0))
    for row in found["people.jsonl"]:
        row["id"] = places["users"][row["id"]]
    return {name: sorted(rows, key=lambda row: json.dumps(row, sort_keys=True)) for name, rows in found.items()}


def figures(person: Person) -> dict[str, Any]:
    """What its pages and programs are told, without ids."""
    campaigns = person.get("/api/campaigns")["campaigns"]
    fans = person.get("/api/crm/fans?limit=200&sort=name")["fans"]
    analytics = person.get("/api/analytics/onlyfans")
    return {
        "kpis": analytics["kpis"],
        "trend": analytics["trend"],
        "fans": [{name: each[name] for name in each if name != "id"} for each in fans],
        "campaigns": [(each["name"], each["metrics"], each["status"], each["startedAt"]) for each in campaigns],
        "ledgers": [
            [
                (line["handle"], line["status"], line["reason"])
                for line in person.get(f"/api/campaigns/{each['id']}/recipients")["recipients"]
            ]
            for each in campaigns
        ],
        "threads": [
            (thread["fan"]["handle"], thread["unreadCount"], texts_of(person, thread["id"]))
            for thread in person.get("/api/crm/conversations?limit=200")["conversations"]
        ],
        "found": person.get("/api/crm/messages?search=look")["total"],
    }


def texts_of(person: Person, thread_id: int) -> list[tuple[str, str, str]]:
    messages = person.get(f"/api/crm/conversations/{thread_id}/messages")["messages"]
    return [(each["text"], each["status"], each["createdAt"]) for each in messages]
