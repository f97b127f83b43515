"""The audit log: what is done is written down in the same transaction, owners read it, nobody changes it."""

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DatabaseError

from app.accounts import actions as accounts
from app.accounts import auditing
from app.accounts.auditing import ACTS, KINDS, Act
from app.accounts.models import AuditEntry
from app.accounts.queries import find_user
from app.config import ROOT
from app.database import db, execute, on_postgresql, write
from app.imports import actions as imports
from tests.people import PASSWORD, Person, add_fan, connect, make_person, submit


def entries(person: Person, **wanted) -> list[tuple[str, str, str]]:
    """Act, person and words, oldest first."""
    with person.app.app_context():
        rows = select(AuditEntry).where(AuditEntry.account_id == person.account_id).filter_by(**wanted)
        return [(each.act, each.user_name, each.words) for each in db.session.scalars(rows.order_by(AuditEntry.id))]


def acts(person: Person) -> list[str]:
    return [act for act, _, _ in entries(person)]


def test_a_day_of_work_is_written_down(app, ada: Person, sandbox):
    connect(ada, sandbox.url)
    fan = add_fan(ada, 1)
    bulk = ada.post("/api/messages/bulk", {"recipientIds": [fan["id"]], "content": "x", "campaignName": "Hello"}, 202)
    for verb in ("pause", "resume", "cancel"):
        ada.post(f"/api/campaigns/{bulk['campaignId']}/{verb}", status=200)
    with app.app_context():
        (kept,) = imports.upload(ada.account_id, None, filename="fans.csv", content=b"Username\nzed\n")
        kept_id = kept.id
    ada.call("DELETE", f"/api/onlyfans/import/{kept_id}")
    browser = ada.browser()
    browser.get("/fans.csv?search=zed")
    browser.get(f"/campaigns/{bulk['campaignId']}/ledger.csv")
    ada.call("GET", "/api/analytics/onlyfans/export.csv?report=fans")
    ada.call("DELETE", "/api/auth/token")
    assert entries(ada)[2:] == [
        ("connection_made", "Ada", "acct_demo"),
        ("campaign_launched", "Ada", "Hello"),
        ("campaign_paused", "Ada", "Hello"),
        ("campaign_resumed", "Ada", "Hello"),
        ("campaign_cancelled", "Ada", "Hello"),
        ("import_started", "Greenroom", "fans.csv"),
        ("import_discarded", "Ada", "fans.csv"),
        ("signed_in", "Ada", "ada@example.com"),
        ("exported", "Ada", "fans with “zed”"),
        ("exported", "Ada", "the ledger of Hello"),
        *[each for each in entries(ada) if each[2].startswith("figures: fans")],
        ("token_revoked", "Ada", ""),
    ]
    with app.app_context():
        launched = (AuditEntry.account_id == ada.account_id) & (AuditEntry.act == Act.CAMPAIGN_LAUNCHED)
        entry = db.session.scalars(select(AuditEntry).where(launched)).one()
        assert entry.user_id == ada.user_id
        assert entry.address == "127.0.0.1"
        assert len(entry.request_id) == 32


def test_a_changed_connection_names_fields_and_never_the_key(app, ada: Person, sandbox):
    connect(ada, sandbox.url)
    connect(ada, sandbox.url, pace=(5, 60))
    assert entries(ada, act="connection_changed") == [
        ("connection_changed", "Ada", "api key, pace limit, pace window seconds")
    ]
    assert "sandbox-test" not in str(entries(ada))


@pytest.mark.parametrize("door", ["page", "program"])
def test_a_failed_sign_in_is_written_down_for_the_accounts_of_the_person(app, ada: Person, eve: Person, door: str):
    client = app.test_client()
    if door == "page":
        token = client.get("/login").text.partition('name="csrf_token" value="')[2].partition('"')[0]
        client.post("/login", data={"email": ada.email, "password": "a wrong one", "csrf_token": token}).close()
        client.post("/login", data={"email": "nobody@x.com", "password": "a wrong one", "csrf_token": token}).close()
    else:
        client.post("/api/auth/token", json={"email": ada.email, "password": "a wrong one"}).close()
    assert entries(ada, act="sign_in_failed") == [("sign_in_failed", "Somebody", "ada@example.com")]
    assert "sign_in_failed" not in acts(eve)


def test_what_comes_to_nothing_leaves_no_entry(app, ada: Person):
    def break_off() -> None:
        with write():
            auditing.record(ada.account_id, Act.EXPORTED)
            raise RuntimeError

    with app.app_context(), pytest.raises(RuntimeError):
        break_off()
    assert "exported" not in acts(ada)
    assert ada.call("POST", "/api/messages/bulk", json={"recipientIds": [99], "content": "x"}).status_code == 400
    assert "campaign_launched" not in acts(ada)


@pytest.mark.parametrize(
    "change", [update(AuditEntry).values(user_name="Nobody"), delete(AuditEntry)], ids=["update", "delete"]
)
def test_the_database_refuses_to_change_an_entry(app, ada: Person, change):
    before = entries(ada)
    with app.app_context(), pytest.raises(DatabaseError, match="never changed or deleted"), write():
        execute(change)
    with app.app_context():
        if on_postgresql():
            with pytest.raises(DatabaseError, match="never changed or deleted"), write():
                db.session.execute(text("TRUNCATE audit_entries"))
    assert entries(ada) == before


def test_no_code_changes_an_entry():
    """Who holds one could. It is read where it is shown, and made in one place."""
    users = {path.name for path in (ROOT / "app").rglob("*.py") if "AuditEntry" in path.read_text()}
    assert users == {"models.py", "auditing.py", "queries.py", "audit_views.py"}


def test_the_owner_reads_it_filters_it_and_takes_it_away(app, ada: Person, eve: Person):
    bob = make_person(app, "bob@example.com", "Ada's account", role="manager")
    bob.browser().get("/fans.csv")
    browser = ada.browser()
    page = browser.get("/settings/audit").text
    assert "downloaded" in page
    assert "signed in" in page
    only = browser.get(f"/settings/audit?person={bob.user_id}&kind=exports").text
    assert only.count("<tr>") == 2  # its head, and one entry
    assert "downloaded: <span" in only
    assert "No entry is of this person and kind." in browser.get("/settings/audit?kind=sends").text
    lines = browser.get("/settings/audit.csv").text.splitlines()
    assert lines[0].startswith("At (UTC),Person,")
    assert "the audit log" in lines[1], "taking it away is an entry too"
    assert "eve@example.com" not in page + "".join(lines)


def test_only_the_owner_reads_it(app, ada: Person):
    for role in ("manager", "chatter", "uploader", "viewer"):
        browser = make_person(app, f"{role}@example.com", "Ada's account", role=role).browser()
        assert browser.get("/settings/audit").status_code == 403
        assert browser.get("/settings/audit.csv").status_code == 403
        assert "/settings/audit" not in browser.get(browser.get("/").headers["Location"]).text


def test_a_long_log_comes_in_pages(app, ada: Person):
    with app.app_context():
        for number in range(60):
            auditing.record_export(ada.account_id, f"file {number}")
    browser = ada.browser()
    first = browser.get("/settings/audit?kind=exports").text
    assert "file 59" in first
    assert "file 9<" not in first
    following = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "file 9<" in browser.get(following).text


def test_the_actor_of_one_request_is_not_the_next_ones(app, ada: Person):
    ada.get("/api/crm/fans")
    with app.app_context():
        accounts.change_password(find_user(ada.user_id), PASSWORD + "!")
    assert entries(ada)[-1] == ("password_changed", "Greenroom", "ada@example.com")


def test_every_act_has_words_and_a_kind_that_pages_offer():
    assert set(ACTS) == set(Act)
    assert {kind for kind, _ in ACTS.values()} <= set(KINDS)


@pytest.mark.parametrize("door", ["page", "program"])
def test_who_deletes_a_fan_is_written_down_without_the_name(ada: Person, eve: Person, door: str):
    fan = add_fan(ada, 1)["id"]
    assert eve.call("DELETE", f"/api/crm/fans/{fan}").status_code == 404
    if door == "page":
        submit(ada.browser(), f"/fans/{fan}/delete", page=f"/fans/{fan}")
    else:
        ada.call("DELETE", f"/api/crm/fans/{fan}")
    assert entries(ada, act="fan_deleted", about_kind="fan", about_id=fan) == [("fan_deleted", "Ada", "")]
    assert entries(eve, act="fan_deleted") == []
