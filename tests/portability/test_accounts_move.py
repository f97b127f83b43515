"""A whole account leaves one instance and comes into another: the same, and holding still."""

import json
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import select

from app.accounts import queries
from app.campaigns.models import Campaign
from app.conversations.models import Message
from app.database import Base, db, write
from app.errors import Conflict
from app.media.models import Medium
from app.platforms.models import Connection
from app.portability.archive import BadArchive
from app.portability.catalogue import IN_OTHER_WORDS, LEFT_BEHIND, PARTS
from app.portability.importing import import_account
from tests.conftest import empty_tables
from tests.people import Person, add_fan, connect, make_person
from tests.portability.rich import PICTURE, bring, export_to, figures, fill, tables_in
from tests.sending import drain


@pytest.mark.postgres
def test_an_account_arrives_as_it_was(app, ada: Person, sandbox, elsewhere, tmp_path):
    fill(ada, sandbox.url)
    before = figures(ada)
    left = export_to(app, ada.account_id, tmp_path / "left.zip")
    there = bring(elsewhere, left)
    assert figures(there) == before
    again = export_to(elsewhere, there.account_id, tmp_path / "again.zip")
    first, second = tables_in(left), tables_in(again)
    for name, rows in first.items():
        assert rows, f"nothing in {name}: this test says nothing about it"
        assert second[name] == rows, name
    assert there.browser().get(f"/media/{medium_of(there)}").data == PICTURE


def medium_of(person: Person) -> int:
    with person.app.app_context():
        return db.session.scalars(select(Medium.id).where(Medium.account_id == person.account_id)).one()


@pytest.mark.postgres
def test_it_fits_beside_others(app, ada: Person, sandbox, elsewhere, tmp_path):
    fill(ada, sandbox.url)
    left = export_to(app, ada.account_id, tmp_path / "left.zip")
    zoe = make_person(elsewhere, "zoe@example.com", "Zoe's account")
    zoes = add_fan(zoe, 1)
    there = bring(elsewhere, left)
    assert figures(there) == figures(ada)
    assert tables_in(export_to(elsewhere, there.account_id, tmp_path / "again.zip")) == tables_in(left)
    assert zoe.get("/api/crm/fans")["fans"] == [zoes]
    newest = max(fan["id"] for fan in there.get("/api/crm/fans")["fans"])
    assert add_fan(there, 99)["id"] > newest, "no id is given twice"
    assert zoe.call("GET", f"/api/crm/fans/{there.get('/api/crm/fans')['fans'][0]['id']}").status_code == 404


def test_no_secret_leaves(app, ada: Person, sandbox, tmp_path):
    fill(ada, sandbox.url)
    with app.app_context():
        connection = db.session.scalars(select(Connection)).one()
        user = queries.find_user_by_email(ada.email)
        assert user is not None
        secrets = [connection.api_key, connection.webhook_secret, user.password_hash, ada.token]
    with zipfile.ZipFile(export_to(app, ada.account_id, tmp_path / "left.zip")) as file:
        everything = b"".join(file.read(name) for name in file.namelist())
    assert b"Loves the sea" in everything
    for secret in secrets:
        assert secret
        assert secret.encode() not in everything


def test_nothing_of_another_account_leaves(app, ada: Person, eve: Person, sandbox, tmp_path):
    fill(ada, sandbox.url)
    add_fan(eve, 77, name="Only Eve knows")
    with zipfile.ZipFile(export_to(app, ada.account_id, tmp_path / "left.zip")) as file:
        assert b"Only Eve knows" not in b"".join(file.read(name) for name in file.namelist())


@pytest.mark.postgres
def test_what_was_waiting_is_not_sent_again(app, ada: Person, sandbox, elsewhere, tmp_path):
    connect(ada, sandbox.url)
    fans = [add_fan(ada, number)["id"] for number in (1, 2)]
    ada.post("/api/onlyfans/messages/send", {"recipientId": fans[0], "content": "a reply"}, 202)
    ada.post("/api/onlyfans/messages/send", {"recipientId": fans[1], "content": "on its way"}, 202)
    ada.post("/api/messages/bulk", {"recipientIds": fans, "content": "to all"}, 202)
    with app.app_context(), write() as session:
        session.query(Message).filter_by(text="on its way").one().status = "sending"
    there = bring(elsewhere, export_to(app, ada.account_id, tmp_path / "left.zip"))
    drain(elsewhere)
    with elsewhere.app_context():
        stands = {each.text: each.status for each in db.session.scalars(select(Message))}
        assert stands == {"a reply": "cancelled", "on its way": "unknown", "to all": "queued"}
        assert [each.status for each in db.session.scalars(select(Campaign))] == ["paused"]
        assert [(each.status, each.api_key) for each in db.session.scalars(select(Connection))] == [("paused", "")]
    assert there.get("/api/campaigns")["campaigns"][0]["metrics"]["queued"] == 2
    assert sandbox.sends("acct_demo") == []


def test_an_account_of_that_name_is_not_overwritten(app, ada: Person, tmp_path):
    left = export_to(app, ada.account_id, tmp_path / "left.zip")
    with app.app_context(), pytest.raises(Conflict, match="here already"):
        import_account(left)


def change(path: Path, name: str, to) -> Path:
    """The file with one of its parts changed."""
    changed = path.with_name("changed.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w") as new:
        for each in old.namelist():
            content = old.read(each)
            content = to(content) if each == name else content
            if content is not None:
                new.writestr(each, content)
    return changed


def with_value(name: str, value):
    def to(lines: bytes) -> bytes:
        first, *rest = lines.splitlines()
        return b"\n".join([json.dumps(json.loads(first) | {name: value}).encode(), *rest]) + b"\n"

    return to


BROKEN = [
    ("fans.jsonl", lambda lines: lines[: len(lines) // 2], "fans.jsonl"),
    ("fans.jsonl", lambda lines: lines[: lines.index(b"\n") + 1], "fans.jsonl: It has 1 lines, and the manifest says"),
    ("fans.jsonl", lambda lines: None, "fans.jsonl: It is missing"),
    ("fans.jsonl", with_value("admin", True), "fans.jsonl, line 1: 'admin' is not known here"),
    ("fans.jsonl", with_value("value_cents", "5"), "fans.jsonl, line 1: value_cents is not a whole number"),
    ("fans.jsonl", with_value("created_at", "2026-01-01T00:00:00"), "fans.jsonl, line 1: created_at is not a time"),
    ("fans.jsonl", with_value("name", "a\0b"), "fans.jsonl, line 1: name holds a NUL"),
    ("fans.jsonl", with_value("id", 10**15), "fans.jsonl, line 1: 1000000000000000 is no id of fans"),
    ("fans.jsonl", with_value("id", -1), "fans.jsonl, line 1"),
    ("messages.jsonl", with_value("fan_id", 0), "messages.jsonl, line 1: 0 is no id of fans"),
    ("messages.jsonl", with_value("author_id", 4711), "messages.jsonl, line 1: nobody in people.jsonl"),
    ("messages.jsonl", with_value("attachments", 5), "messages.jsonl, line 1"),
    ("transactions.jsonl", with_value("gross_cents", 1), "transactions.jsonl: Its sums of money"),
    ("media/{medium}", lambda content: b"<script>" + content[8:], "It is not image/png"),
    ("media/{medium}", lambda content: content + b"more", "not as long as its row says"),
    ("manifest.json", lambda content: content.replace(b'"format": 1', b'"format": 2'), "Format 2 is not known"),
    ("manifest.json", lambda content: b"{}", "manifest"),
]  # fmt: skip


def test_a_broken_file_changes_nothing_and_says_where(app, ada: Person, sandbox, tmp_path):
    medium_id = fill(ada, sandbox.url)["medium_id"][0]
    left = export_to(app, ada.account_id, tmp_path / "left.zip")
    with app.app_context():
        empty_tables()
        files = set((app.config["INSTANCE"] / "media").iterdir())
    for name, to, said in BROKEN:
        broken = change(left, name.format(medium=medium_id), to)
        with app.app_context():
            with pytest.raises(BadArchive) as refused:
                import_account(broken)
            assert said in str(refused.value), (name, str(refused.value))
            for table in Base.metadata.sorted_tables:
                if table.name not in ("clocks", "audit_entries"):
                    assert db.session.execute(select(table)).first() is None, table.name
            db.session.remove()
            assert set((app.config["INSTANCE"] / "media").iterdir()) == files
    cut = tmp_path / "cut.zip"
    cut.write_bytes(left.read_bytes()[:-2000])
    with app.app_context(), pytest.raises(BadArchive, match="no whole zip"):
        import_account(cut)


def test_every_table_leaves_or_is_left_behind_by_name():
    """A new table says in app/portability/catalogue.py what becomes of it."""
    named = [part.name for part in PARTS] + list(IN_OTHER_WORDS) + list(LEFT_BEHIND)
    assert sorted(named) == sorted(Base.metadata.tables)


def test_every_column_that_is_left_behind_is_one():
    for part in PARTS:
        assert set(part.stays) <= {column.name for column in part.table.columns}, part.name
        assert "account_id" in part.table.columns


def test_every_column_that_may_hold_an_id_is_known():
    """By its name, or because it is JSON: whatever is not rewritten would lead to a stranger's row."""
    harmless = {
        "platform_fan_id", "platform_message_id", "client_message_id", "platform_transaction_id", "statement_id",
        "imports.options", "remembered_mappings.columns", "remembered_mappings.options", "fans.custom", "campaigns.guards",
        "campaigns.wordings", "campaigns.delay_minutes", "messages.platform_media", "saved_views.address",
        "platform_events.body", "import_rows.cells", "import_rows.warnings",
    }  # fmt: skip
    for part in PARTS:
        for name in part.columns:
            looks_like_one = name.endswith("_id") or str(part.table.c[name].type) == "JSON"
            if looks_like_one and not {name, f"{part.name}.{name}"} & harmless:
                assert name in part.references or name in part.holds, f"{part.name}.{name}"
