"""What is kept about one person: all of it for them to take, and none of it after they were erased."""

import io
import json
import sqlite3
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import select, text

from app.conversations.models import Message
from app.database import Base, db, utcnow, write
from app.errors import Conflict, NotFound
from app.fans.models import Fan
from app.imports import actions as imports
from app.imports.models import ImportRow
from app.platforms.models import Connection, StoredEvent
from app.portability.erasing import erase_fan
from tests.people import Person, add_fan, connect, make_person
from tests.portability.rich import figures, fill
from tests.sending import drain

NAME, HANDLE, EMAIL, PHONE = "Zénobie Quartermain", "@zenobieq", "zenobie@quartermain.example", "+33 6 12 34 56 78"
PHRASE, NOTE, PLATFORM_ID = "xylophone under moonlight", "Afraid of pelicans", "998877665544"
TRACES = (NAME, "quartermain", "zenobieq", PHONE, PHRASE, "xylophone", "pelicans", PLATFORM_ID, "Seamstress")


@pytest.fixture
def zenobie(app, ada: Person, sandbox) -> int:
    """One person among others, with traces in every place there is."""
    fill(ada, sandbox.url)
    fan = add_fan(
        ada,
        50,
        name=NAME,
        handle=HANDLE,
        email=EMAIL,
        phone=PHONE,
        platformFanId=PLATFORM_ID,
        notes=NOTE,
        tags=["Seamstress"],
    )
    thread = ada.post("/api/crm/conversations", {"fanId": fan["id"]})
    body = {"text": f"Remember the {PHRASE}?"}
    answer = ada.call(
        "POST", f"/api/crm/conversations/{thread['id']}/messages", json=body, headers={"Idempotency-Key": "k1"}
    )
    assert answer.status_code == 202
    drain(app)
    ada.post(f"/api/crm/conversations/{thread['id']}/messages", {"text": f"{PHRASE}, again"}, 202)
    rows = f'Username,Display Name,Email,Phone\nzenobieq,"{NAME}",{EMAIL},{PHONE}\nzenobieq,"{NAME}",x@,{PHONE}\n'
    answer = ada.call("POST", "/api/onlyfans/import/csv", data={"file": (io.BytesIO(rows.encode()), "z.csv")},
                      headers={"Prefer": "respond-async"})  # fmt: skip
    with app.app_context():
        imports.run_import(answer.get_json()["importId"])
        connection = db.session.query(Connection).one()
        with write() as session:
            message = session.query(Message).filter_by(fan_id=fan["id"]).first()
            session.add(Message(
                account_id=ada.account_id, conversation_id=thread["id"], fan_id=fan["id"], connection_id=connection.id,
                direction="in", status="received", text=f"I do remember the {PHRASE}", platform_message_id="in-1",
            ))  # fmt: skip
            session.add(StoredEvent(
                account_id=ada.account_id, connection_id=connection.id, event_key="e2", handled_at=message.created_at,
                body={"payload": {"fromUser": {"id": int(PLATFORM_ID), "name": NAME}, "text": PHRASE}},
            ))  # fmt: skip
    return fan["id"]


def everything_kept(app) -> bytes:
    """The whole database, after it was cleaned up, and the media folder."""
    with app.app_context():
        db.session.remove()
        files = b"".join(each.read_bytes() for each in (app.config["INSTANCE"] / "media").iterdir())
        url = app.config["SQLALCHEMY_DATABASE_URI"]
        if url.startswith("sqlite"):
            place = url.removeprefix("sqlite:///")
            with sqlite3.connect(place, isolation_level=None) as connection:
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return Path(place).read_bytes() + files
        tables = [*Base.metadata.tables, "message_words"]
        rows = [str(row) for name in tables for row in db.session.execute(text(f"SELECT {name}::text FROM {name}"))]
        db.session.remove()
        return "\n".join(rows).encode() + files


def traces_in(kept: bytes) -> set[str]:
    kept = kept.lower()
    written = {trace: (trace.lower(), trace.lower().encode("ascii", "backslashreplace").decode()) for trace in TRACES}
    return {trace for trace, forms in written.items() if any(form.encode() in kept for form in forms)}


def test_nothing_of_an_erased_person_is_left(app, ada: Person, zenobie: int):
    assert traces_in(everything_kept(app)) == set(TRACES), "or this test would find nothing"
    before = figures(ada)
    with app.app_context():
        erase_fan(ada.account_id, zenobie)
    assert traces_in(everything_kept(app)) == set()
    after = figures(ada)
    assert after["kpis"]["revenueCents"] == before["kpis"]["revenueCents"]
    assert ada.get(f"/api/crm/fans/{zenobie}")["name"] == f"Erased fan {zenobie}"
    assert ada.browser().get(f"/fans/{zenobie}").status_code == 200
    assert ada.get("/api/crm/messages?search=xylophone")["total"] == 0


def test_others_and_the_books_stay_as_they_were(app, ada: Person, sandbox):
    ids = fill(ada, sandbox.url)
    payer = ids["paid_to"][0]
    before, others = figures(ada), ada.get(f"/api/crm/fans/{ids['fan_id'][1]}")
    spent = ada.get(f"/api/crm/fans/{payer}")["valueCents"]
    with app.app_context():
        erase_fan(ada.account_id, payer)
    after = figures(ada)
    assert spent == 500 == ada.get(f"/api/crm/fans/{payer}")["valueCents"]
    assert [(name, counts) for name, counts, *_ in after["campaigns"]] == [(n, c) for n, c, *_ in before["campaigns"]]
    assert after["kpis"] == before["kpis"]
    assert ada.get(f"/api/crm/fans/{ids['fan_id'][1]}") == others
    for thread_id in ids["conversation_id"]:
        assert ada.browser().get(f"/messages/onlyfans/{thread_id}").status_code == 200


def test_what_waited_for_them_is_not_sent(app, ada: Person, zenobie: int, sandbox):
    with app.app_context():
        erase_fan(ada.account_id, zenobie)
    drain(app)
    with app.app_context():
        stands = {each.status for each in db.session.scalars(select(Message).where(Message.fan_id == zenobie))}
    assert not stands & {"queued", "sending"}
    assert "cancelled" in stands
    assert f"{PHRASE}, again" not in [each["text"] for each in sandbox.sends("acct_demo")]


def test_not_while_a_message_is_on_its_way(app, ada: Person, zenobie: int):
    with app.app_context():
        with write() as session:
            session.query(Message).filter_by(fan_id=zenobie, status="queued").one().status = "sending"
        with pytest.raises(Conflict, match="on its way"):
            erase_fan(ada.account_id, zenobie)
        assert db.session.get_one(Fan, zenobie).name == NAME


def test_the_import_that_brought_them_can_still_be_undone(app, ada: Person, zenobie: int):
    found = ada.browser().get("/imports").text
    with app.app_context():
        erase_fan(ada.account_id, zenobie)
        import_id = db.session.execute(text("SELECT max(id) FROM imports")).scalar_one()
        imports.undo(ada.account_id, import_id)
        imports.run_import(import_id)
    assert ada.get(f"/api/onlyfans/import/{import_id}")["status"] == "undone", found
    assert ada.get(f"/api/crm/fans/{zenobie}")["name"] == f"Erased fan {zenobie}"


def test_a_file_does_not_bring_them_back_and_says_why(app, ada: Person, zenobie: int):
    with app.app_context():
        erase_fan(ada.account_id, zenobie)
    for row in ("ZenobieQ,Somebody,", f",Somebody,{EMAIL.upper()}"):
        file = io.BytesIO(f"Username,Display Name,Email\n{row}\nnew{len(row)},New,\n".encode())
        answer = ada.call("POST", "/api/onlyfans/import/csv", data={"file": (file, "again.csv")},
                          headers={"Prefer": "respond-async"})  # fmt: skip
        with app.app_context():
            imports.run_import(answer.get_json()["importId"])
        summary = ada.get(answer.headers["Location"])["summary"]
        assert (summary["successfulInserts"], summary["skipped"]) == (1, 1)
        assert "erased" in summary["errors"][0]["error"]
    assert ada.get("/api/crm/fans?search=somebody")["total"] == 0


def test_the_copy_for_the_person_holds_all_about_them_and_nothing_of_others(app, ada: Person, zenobie: int):
    answer = ada.browser().get(f"/fans/{zenobie}/everything.zip")
    assert answer.mimetype == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as file:
        about = json.loads(file.read("fan.json"))
    assert about["fans"][0]["name"] == NAME
    assert [each["tag"] for each in about["fan_tags"]] == ["Seamstress"]
    assert {each["direction"] for each in about["messages"]} == {"in", "out"}
    assert {each["fan_id"] for each in about["messages"]} == {zenobie}
    assert "Fan 1" not in json.dumps(about)


def test_only_owners_and_managers_and_only_their_own(app, ada: Person, eve: Person):
    fan_id = add_fan(ada, 1)["id"]
    chatter = make_person(app, "chip@example.com", "Ada's account", role="chatter")
    for path in (f"/fans/{fan_id}/everything.zip", f"/fans/{fan_id}/erase"):
        assert chatter.browser().get(path).status_code == 403
        assert eve.browser().get(path).status_code == 404
        assert ada.browser().get(path).status_code == 200
    with app.app_context(), pytest.raises(NotFound):
        erase_fan(eve.account_id, fan_id)


def test_it_is_asked_once_with_the_numbers(app, ada: Person, zenobie: int):
    browser = ada.browser()
    page = browser.get(f"/fans/{zenobie}/erase").text
    assert "3 messages" in page
    assert "1 message that waits" in page
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    unsure = browser.post(f"/fans/{zenobie}/erase", data={"csrf_token": token})
    assert unsure.status_code == 422
    assert "Tick this first" in unsure.text
    assert ada.get(f"/api/crm/fans/{zenobie}")["name"] == NAME
    assert browser.post(f"/fans/{zenobie}/erase", data={"csrf_token": token, "sure": "1"}).status_code == 302
    assert ada.get(f"/api/crm/fans/{zenobie}")["name"] == f"Erased fan {zenobie}"


def test_who_has_the_same_name_keeps_what_was_told_of_them(app, ada: Person, sandbox):
    connect(ada, sandbox.url)
    rows = "Username,Display Name,Email\nanna1,Anna,\nanna2,Anna,\nanna3,Anna,x@\n,Anna,\n"
    answer = ada.call("POST", "/api/onlyfans/import/csv", data={"file": (io.BytesIO(rows.encode()), "annas.csv")},
                      headers={"Prefer": "respond-async"})  # fmt: skip
    with app.app_context():
        imports.run_import(answer.get_json()["importId"])
        connection = db.session.query(Connection).one()
        with write() as session:
            for number, user in enumerate(
                ({"id": 7, "name": "Anna"}, {"username": "anna1", "name": "A"}, {"name": "Anna"})
            ):
                session.add(StoredEvent(
                    account_id=ada.account_id, connection_id=connection.id, event_key=f"a{number}", handled_at=utcnow(),
                    body={"payload": {"fromUser": user}},
                ))  # fmt: skip
        erase_fan(ada.account_id, db.session.query(Fan).filter_by(handle="@anna1").one().id)
        left = [each.body for each in db.session.query(StoredEvent).order_by(StoredEvent.id)]
        rows_left = {each.row for each in db.session.query(ImportRow)}
    assert left == [{"payload": {"fromUser": {"id": 7, "name": "Anna"}}}, {}, {}]
    assert rows_left == {3, 4, 5}, "each is about somebody else of that name"
