"""Backup and restore: all that was there is there again, and nothing is sent twice because the database is an older one."""

import io
import sqlite3
import tarfile
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from apiflask import APIFlask
from click.testing import Result
from sqlalchemy import select, update

from app import create_app
from app.campaigns import actions as campaigns
from app.campaigns.models import Campaign
from app.conversations import catching_up
from app.conversations.desk_models import LaterReply
from app.conversations.models import Message, new_key
from app.database import db, utcnow, write
from app.media.actions import store_medium
from app.operations import archives
from app.platforms import actions as platforms
from app.platforms.models import Connection
from tests import people, servers
from tests.people import Person, add_fan, connect
from tests.sending import drain, statuses
from tests.servers import Sandbox

PICTURE = b"\x89PNG\r\n\x1a\n" + b"a picture" * 20
KEPT = (
    "SECRET_KEY",
    "REDIS_URL",
    "ARGON2",
    "LIMIT_WRITES",
    "LIMIT_IMPORTS",
    "LIMIT_BULK",
    "LIMIT_SIGN_IN",
    "MEDIA_HOSTS",
)


def command(app: APIFlask, *words: str | Path) -> Result:
    return app.test_cli_runner().invoke(args=[str(word) for word in words])


@pytest.fixture
def elsewhere(app: APIFlask, tmp_path: Path, request: pytest.FixtureRequest) -> APIFlask:
    """Another instance folder, and an empty database of the same kind."""
    url = f"sqlite:///{tmp_path / 'other' / 'greenroom.sqlite'}"
    if "postgresql" in app.config["SQLALCHEMY_DATABASE_URI"]:
        url = servers.make_database(request.getfixturevalue("postgres_url"), f"other_{uuid4().hex}")
    kept = {name: app.config[name] for name in KEPT}
    return create_app(
        {
            "TESTING": True,
            "INSTANCE": tmp_path / "other",
            "SQLALCHEMY_DATABASE_URI": url.replace("postgresql://", "postgresql+psycopg://"),
            **kept,
        }
    )


@pytest.fixture
def there(elsewhere: APIFlask, tmp_path: Path) -> APIFlask:
    (tmp_path / "other").mkdir()
    return elsewhere


@pytest.fixture
def account() -> str:
    """The creator's, on the platform: the sandbox remembers chats."""
    return f"acct_{uuid4().hex[:6]}"


def send(person: Person, fan: dict, text: str) -> int:
    return person.post("/api/onlyfans/messages/send", {"recipientId": fan["id"], "content": text}, 202)["messageId"]


def move(there: APIFlask, file: Path) -> None:
    """To another instance, as of the backup."""
    restored = command(there, "restore", file)
    assert restored.exit_code == 0, restored.output


def go_on(app: APIFlask) -> None:
    """A person has looked, and resumes everything."""
    with app.app_context():
        for connection in db.session.scalars(select(Connection)).all():
            platforms.resume(connection)
        paused = select(Campaign.account_id, Campaign.id).where(Campaign.status == "paused")
        for account_id, campaign_id in db.session.execute(paused).all():
            campaigns.resume(account_id, campaign_id)
    drain(app)


def forget_keys(app: APIFlask) -> None:
    """As a platform does after a day: to it, a message under an old key is a new one."""
    with app.app_context(), write() as session:
        for message in session.scalars(select(Message)).all():
            session.execute(update(Message).where(Message.id == message.id).values(idempotency_key=new_key()))


def accepted(sandbox: Sandbox, account: str) -> list[str]:
    return sorted(each["text"] for each in sandbox.sends(account) if each["outcome"] == "accepted")


def test_everything_is_there_again(app, there: APIFlask, ada: Person, tmp_path: Path):
    connect(ada, "http://127.0.0.1:9", account="acct_all")
    fan = add_fan(ada, tags=["VIP"])
    send(ada, fan, "Grüße, with an accent")
    with app.app_context():
        medium_url = store_medium(ada.account_id, "a.png", io.BytesIO(PICTURE)).url
    made = command(app, "backup", tmp_path / "all.tar.gz")
    assert made.exit_code == 0, made.output
    move(there, tmp_path / "all.tar.gz")
    there_ada = Person(there, ada.email, ada.user_id, ada.account_id, ada.token)
    assert there_ada.get(f"/api/crm/fans/{fan['id']}")["tags"] == ["VIP"]
    assert there_ada.get("/api/crm/messages?search=accent")["total"] == 1
    browser = there_ada.browser()
    assert browser.get(medium_url).data == PICTURE
    assert browser.get("/readyz").status_code == 200
    with there.app_context():
        connection = db.session.scalars(select(Connection)).one()
        assert connection.api_key == "sandbox-test"
        assert connection.status == "paused"
        assert "Restored on" in connection.status_detail


def test_the_restored_database_takes_new_rows_and_can_be_backed_up_again(app, there, ada: Person, tmp_path: Path):
    add_fan(ada)
    command(app, "backup", tmp_path / "one.tar.gz")
    move(there, tmp_path / "one.tar.gz")
    add_fan(Person(there, ada.email, ada.user_id, ada.account_id, ada.token), 2)
    again = command(there, "backup", tmp_path / "two.tar.gz")
    assert again.exit_code == 0, again.output
    manifest = archives.checked_manifest(tmp_path / "two.tar.gz")
    assert (manifest["counts"]["fans"], manifest["counts"]["restores"]) == (2, 1)


@pytest.mark.parametrize("platform_forgot", [False, True], ids=["keys good", "keys forgotten"])
def test_what_went_out_since_the_backup_is_not_sent_again(
    app, there: APIFlask, ada: Person, sandbox: Sandbox, account: str, tmp_path: Path, platform_forgot: bool
):
    connect(ada, sandbox.url, account=account)
    fans = [add_fan(ada, number) for number in range(1, 5)]
    send(ada, fans[0], "a reply")
    bulk = {"recipientIds": [fan["id"] for fan in fans[1:]], "content": "a campaign"}
    ada.post("/api/messages/bulk", bulk, 202)
    command(app, "backup", tmp_path / "before.tar.gz")
    drain(app)
    assert accepted(sandbox, account) == ["a campaign"] * 3 + ["a reply"]
    move(there, tmp_path / "before.tar.gz")
    drain(there)
    assert statuses(there) == ["queued"] * 4, "nothing goes before a person has looked"
    if platform_forgot:
        forget_keys(there)
    go_on(there)
    assert statuses(there) == ["sent"] * 4
    assert accepted(sandbox, account) == ["a campaign"] * 3 + ["a reply"]


def test_what_had_not_gone_out_goes_out_once(
    app, there: APIFlask, ada: Person, sandbox: Sandbox, account: str, tmp_path: Path
):
    connect(ada, sandbox.url, account=account)
    send(ada, add_fan(ada, 1), "still waiting")
    command(app, "backup", tmp_path / "before.tar.gz")
    move(there, tmp_path / "before.tar.gz")
    go_on(there)
    assert statuses(there) == ["sent"]
    assert accepted(sandbox, account) == ["still waiting"]


def test_what_was_taken_in_from_the_chats_first_is_one_message(
    app, there: APIFlask, ada: Person, sandbox: Sandbox, account: str, tmp_path: Path
):
    """The old database's message looks, to the new one, as if it had been written on the platform itself."""
    connection_id = connect(ada, sandbox.url, account=account)
    send(ada, add_fan(ada, 1), "seen twice")
    command(app, "backup", tmp_path / "before.tar.gz")
    drain(app)
    move(there, tmp_path / "before.tar.gz")
    forget_keys(there)
    with there.app_context():
        platforms.resume(db.session.scalars(select(Connection)).one())
        catching_up.catch_up(connection_id)
    assert statuses(there) == ["queued", "delivered"]
    drain(there)
    assert statuses(there) == ["sent"]
    assert accepted(sandbox, account) == ["seen twice"]


def test_what_was_planned_is_given_back_to_people(
    app, there: APIFlask, ada: Person, sandbox: Sandbox, account: str, tmp_path: Path
):
    connect(ada, sandbox.url, account=account)
    fan = add_fan(ada, 1)
    message_id = send(ada, fan, "first")
    drain(app)
    with app.app_context(), write() as session:
        conversation_id = session.get_one(Message, message_id).conversation_id
        later = LaterReply(
            account_id=ada.account_id, conversation_id=conversation_id or 0, author_id=ada.user_id,
            client_message_id="later", send_at=utcnow() - timedelta(seconds=1), text="later",
        )  # fmt: skip
        planned = Campaign(
            account_id=ada.account_id, connection_id=None, name="Planned", content="planned", priority=5,
            status="scheduled", scheduled_at=utcnow() + timedelta(hours=1),
        )  # fmt: skip
        session.add_all([later, planned])
    command(app, "backup", tmp_path / "before.tar.gz")
    move(there, tmp_path / "before.tar.gz")
    with there.app_context():
        later = db.session.scalars(select(LaterReply)).one()
        assert (later.status, "may have gone out" in later.reason) == ("cancelled", True)
        planned = db.session.scalars(select(Campaign)).one()
        assert (planned.status, "may have gone out" in planned.note) == ("draft", True)


def test_a_failed_message_that_was_sent_again_since_is_not_sent_a_third_time(
    app, there: APIFlask, ada: Person, sandbox: Sandbox, account: str, tmp_path: Path
):
    connect(ada, sandbox.url, account=account)
    message_id = send(ada, add_fan(ada, 1), "once failed")
    with app.app_context(), write() as session:
        session.execute(update(Message).values(status="failed"))
    command(app, "backup", tmp_path / "before.tar.gz")
    ada.post(f"/api/onlyfans/messages/{message_id}/retry", status=202)
    drain(app)
    move(there, tmp_path / "before.tar.gz")
    there_ada = Person(there, ada.email, ada.user_id, ada.account_id, ada.token)
    there_ada.post(f"/api/onlyfans/messages/{message_id}/retry", status=202)
    go_on(there)
    assert statuses(there) == ["sent"]
    assert accepted(sandbox, account) == ["once failed"]


def test_a_backup_writes_over_nothing_and_is_read_by_its_owner_only(app, ada: Person, tmp_path: Path):
    file = tmp_path / "b.tar.gz"
    assert command(app, "backup", file).exit_code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_bytes()
    refused = command(app, "backup", file)
    assert (refused.exit_code, "nothing is written over" in refused.output) == (1, True)
    assert file.read_bytes() == before
    assert list(tmp_path.glob(".*")) == []


def test_a_database_that_is_there_is_not_written_over(app, there: APIFlask, ada: Person, tmp_path: Path):
    command(app, "backup", tmp_path / "b.tar.gz")
    move(there, tmp_path / "b.tar.gz")
    refused = command(there, "restore", tmp_path / "b.tar.gz")
    assert refused.exit_code == 1
    assert "--replace" in refused.output or "createdb" in refused.output


@pytest.mark.parametrize("harm", ["bit", "short", "stranger"])
def test_a_damaged_backup_changes_nothing(app, there: APIFlask, ada: Person, tmp_path: Path, harm: str):
    file = tmp_path / "b.tar.gz"
    command(app, "backup", file)
    content = bytearray(file.read_bytes())
    if harm == "bit":
        content[len(content) // 2] ^= 1
    elif harm == "short":
        content = content[:-200]
    file.write_bytes(content)
    if harm == "stranger":
        with tarfile.open(file, "w:gz") as tar:
            tar.addfile(tarfile.TarInfo("../../etc/passwd"))
    refused = command(there, "restore", file)
    assert refused.exit_code == 1, refused.output
    assert "Error: This" in refused.output
    assert list((tmp_path / "other").iterdir()) == []


def test_another_secret_key_is_refused(app, there: APIFlask, ada: Person, tmp_path: Path):
    command(app, "backup", tmp_path / "b.tar.gz")
    there.config["SECRET_KEY"] = "another one, of more than thirty-two letters"
    refused = command(there, "restore", tmp_path / "b.tar.gz")
    assert (refused.exit_code, "SECRET_KEY" in refused.output) == (1, True)


def test_the_kept_key_travels_with_the_backup(app, there: APIFlask, ada: Person, tmp_path: Path):
    """And an environment that names none takes it."""
    (tmp_path / "kept").mkdir()
    for instance, key in ((tmp_path / "kept", app.config["SECRET_KEY"]), (tmp_path / "other", "made just now" * 4)):
        (instance / "secret.key").write_text(key)
    there.config["SECRET_KEY"] = "made just now" * 4
    before = app.config["INSTANCE"]
    app.config["INSTANCE"] = tmp_path / "kept"
    try:
        said = command(app, "backup", tmp_path / "b.tar.gz").output
    finally:
        app.config["INSTANCE"] = before
    assert "whoever has this file" in said
    move(there, tmp_path / "b.tar.gz")
    assert (tmp_path / "other" / "secret.key").read_text() == app.config["SECRET_KEY"]


def test_an_sqlite_database_in_use_is_left_alone_and_one_that_is_not_is_set_aside(make_app, valkey_url, tmp_path: Path):
    app = make_app(f"sqlite:///{tmp_path / 'used.sqlite'}", INSTANCE=tmp_path / "used")
    (tmp_path / "used").mkdir(exist_ok=True)
    people.make_person(app, "ada@example.com", "Ada")
    command(app, "backup", tmp_path / "b.tar.gz")
    people.make_person(app, "eve@example.com", "Eve")
    with sqlite3.connect(tmp_path / "used.sqlite") as other:
        other.execute("SELECT count(*) FROM users").fetchone()
        refused = command(app, "restore", "--replace", tmp_path / "b.tar.gz")
        assert (refused.exit_code, "in use" in refused.output) == (1, True)
    other.close()
    done = command(app, "restore", "--replace", tmp_path / "b.tar.gz")
    assert done.exit_code == 0, done.output
    (aside,) = tmp_path.glob("used.sqlite.before-*")
    with sqlite3.connect(aside) as old, sqlite3.connect(tmp_path / "used.sqlite") as new:
        counts = [each.execute("SELECT count(*) FROM users").fetchone()[0] for each in (old, new)]
    assert counts == [2, 1]
