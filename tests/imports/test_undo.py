"""A rehearsal says exactly what applying does, applying heeds what changed meanwhile, and undo takes the whole back."""

import pytest
from sqlalchemy import select

from app.conversations import live, rooms
from app.conversations.actions import start_conversation
from app.database import db
from app.errors import Conflict
from app.fans.models import Fan
from app.imports import actions, downloads, queries
from app.imports.choosing import ColumnChoice, MappingChoice
from app.imports.options import Rules
from app.money.models import Transaction
from tests.imports.conftest import HOUSE, counts
from tests.people import connect

MIXED = HOUSE + "new,New,,VIP,$1.00,\nann,Ann,ann@new.example,Gold,$2.00,2026-11-01\nbob,Bob,,,,\nbad,Bad,x@,,,\n"


class Steps:
    """One import, step by step."""

    def __init__(self, app, person) -> None:
        self.app, self.person, self.account_id = app, person, person.account_id

    def upload(self, content: str, filename: str = "a.csv"):
        with self.app.app_context():
            (new,) = actions.upload(self.account_id, None, filename=filename, content=content.encode())
            self.id = new.id
        return self

    def rehearse(self, *fields: str, kind: str = "", **rules):
        with self.app.app_context():
            found = queries.find_import(self.account_id, self.id)
            known = {column["index"]: column["field"] for column in found.options["plan"]["columns"]}
            columns = {index: ColumnChoice(field) for index, field in (enumerate(fields) if fields else known.items())}
            actions.map_columns(
                self.account_id, self.id, MappingChoice(kind, columns, Rules(**{"invalid": "warn"} | rules))
            )
            actions.run_import(self.id)
            return self

    def __getattr__(self, verb: str):
        def do():
            with self.app.app_context():
                getattr(actions, verb)(self.account_id, self.id)
                actions.run_import(self.id)
            return self

        return do

    @property
    def row(self):
        with self.app.app_context():
            return queries.find_import(self.account_id, self.id)

    def listed(self, name: str) -> list[str]:
        """Row and reason, or row and changes."""
        with self.app.app_context():
            found = queries.find_import(self.account_id, self.id)
            zone = downloads.zone_of(found)
            return [
                f"{row.row} {row.not_undone or row.not_applied or row.error or downloads.changes_of(row, zone)}"
                for row in queries.each_row(found, name)
            ]


@pytest.fixture
def steps(app, ada):
    return Steps(app, ada)


@pytest.fixture
def state(app, ada):
    """All that is known of Ada's fans and payments, to be compared."""

    def read():
        with app.app_context():
            fans = db.session.scalars(select(Fan).where(Fan.account_id == ada.account_id).order_by(Fan.id)).all()
            names = [column.key for column in Fan.__table__.columns if column.key != "updated_at"]
            people = [({name: getattr(fan, name) for name in names}, sorted(fan.tags)) for fan in fans]
            money = db.session.execute(
                select(Transaction.platform_transaction_id, Transaction.fan_id, Transaction.net_cents)
            )
            return people, sorted(map(tuple, money))

    return read


def standing(ada):
    ada.post(
        "/api/crm/fans",
        {"handle": "ann", "name": "Ann", "email": "ann@old.example", "tags": ["VIP"], "valueCents": 100},
    )
    ada.post("/api/crm/fans", {"handle": "bob", "name": "Bob"})


def test_a_rehearsal_changes_nothing_and_says_what_would_happen(steps, state, ada):
    standing(ada)
    before = state()
    row = steps.upload(MIXED).rehearse().row
    assert (row.new_rows, row.changed_rows, row.unchanged, row.rejected_rows, row.warned_rows) == (2, 1, 1, 0, 1)
    assert state() == before
    (changed,) = steps.listed("changed")
    assert "('E-mail', 'ann@old.example', 'ann@new.example')" in changed
    assert "('Total spent', '$1.00', '$2.00')" in changed
    assert "('Tags', 'VIP', 'Gold, VIP')" in changed
    assert "'2026-11-01'" in changed, "the day that the file says"


@pytest.mark.parametrize(
    ("zone", "text", "said"),
    [
        ("UTC", "2026-03-03 00:00:00.000000", "2026-03-03"),
        ("UTC", "2026-03-03 10:20:30.000000", "2026-03-03 10:20:30 UTC"),
        ("Europe/Berlin", "2026-03-02 23:00:00.000000", "2026-03-03"),
        ("Europe/Berlin", "2026-03-03 00:00:00.000000", "2026-03-03 00:00:00 UTC"),
    ],
)
def test_a_day_without_a_time_is_shown_as_a_day_of_the_files_zone(zone: str, text: str, said: str):
    assert downloads.said("last_seen_at", text, zone) == said


def test_what_was_rehearsed_is_what_is_applied_and_undone(steps, state, ada):
    standing(ada)
    before = state()
    row = steps.upload(MIXED).rehearse().apply().row
    assert (row.inserted, row.updated, row.unchanged, row.skipped) == (2, 1, 1, 0)
    ann = ada.get("/api/crm/fans?search=ann")["fans"][0]
    assert (ann["email"], ann["valueCents"], sorted(ann["tags"])) == ("ann@new.example", 200, ["Gold", "VIP"])
    row = steps.undo().row
    assert (row.status, row.undone, row.not_undone) == ("undone", 3, 0)
    assert state() == before


def test_a_fan_who_changed_after_the_rehearsal_is_left_alone(steps, ada):
    standing(ada)
    steps.upload(MIXED).rehearse()
    ann = ada.get("/api/crm/fans?search=ann")["fans"][0]
    ada.call("PUT", f"/api/crm/fans/{ann['id']}", json={"email": "ann@mine.example"})
    ada.post("/api/crm/fans", {"handle": "NEW"})
    row = steps.apply().row
    assert (row.inserted, row.updated, row.not_applied, row.skipped) == (1, 0, 2, 2)
    assert steps.listed("not-applied") == [
        "2 A fan with this username, platform id or e-mail came in after the rehearsal",
        "3 Changed after the rehearsal: E-mail",
    ]
    assert ada.get("/api/crm/fans?search=ann")["fans"][0]["email"] == "ann@mine.example"


def test_undo_keeps_what_people_did_since_and_lists_it(steps, ada, sandbox):
    standing(ada)
    connect(ada, sandbox.url)
    steps.upload(MIXED + "talked,Talked,,,,\n").rehearse().apply()
    by_name = {fan["name"]: fan for fan in ada.get("/api/crm/fans")["fans"]}
    ada.call("PUT", f"/api/crm/fans/{by_name['Ann']['id']}", json={"email": "ann@mine.example"})
    ada.call("PUT", f"/api/crm/fans/{by_name['Talked']['id']}", json={"platformFanId": "100000001"})
    thread = ada.post("/api/crm/conversations", {"fanId": by_name["Talked"]["id"]})
    ada.post(f"/api/crm/conversations/{thread['id']}/messages", {"text": "hello"}, 202)
    row = steps.undo().row
    assert (row.undone, row.not_undone) == (2, 2)
    assert steps.listed("not-undone") == [
        "3 Changed since the import, and kept: E-mail",
        "6 Has messages or payments since the import, and was kept",
    ]
    left = {fan["name"]: fan for fan in ada.get("/api/crm/fans")["fans"]}
    assert sorted(left) == ["Ann", "Bob", "Talked"]
    assert (left["Ann"]["email"], left["Ann"]["valueCents"], left["Ann"]["tags"]) == ("ann@mine.example", 100, ["VIP"])


@pytest.mark.parametrize("number", [2, live.MOST_TOLD + 1])
def test_watchers_hear_of_the_threads_that_go_with_their_fans(steps, app, ada, sandbox, number: int):
    connect(ada, sandbox.url)
    steps.upload(HOUSE + "".join(f"fan{each},Fan,,,,\n" for each in range(number))).rehearse().apply()
    with app.app_context():
        fans = db.session.scalars(select(Fan.id).where(Fan.account_id == ada.account_id)).all()
        threads = [start_conversation(ada.account_id, each)[0].id for each in fans]
        _, before = rooms.newest_seq(ada.account_id, "inbox", 0)
    steps.undo()
    with app.app_context():
        told = live.catch_up(ada.account_id, "inbox", 0, before)
    gone = [(each["id"], each["html"]) for each in told["items"]]
    assert (told["reload"], gone) == ((True, []) if number > 2 else (False, [(each, None) for each in threads]))


def test_payments_are_undone_with_the_payers_made_for_them(steps, state, ada):
    ada.post("/api/crm/fans", {"handle": "ann"})
    steps.upload("Transaction ID,Amount,Date\nt1,$5.00,2026-01-01\n").rehearse().apply()
    before = state()
    content = (
        "Transaction ID,Username,Amount,Net,Date\n"
        "t1,ann,5.00,4.00,2026-01-01\nt2,ann,7.00,,2026-01-02\nt3,new,9.00,,2026-01-02\n"
    )
    row = steps.upload(content).rehearse().row
    assert (row.new_rows, row.changed_rows) == (2, 1)
    steps.apply()
    assert ada.get("/api/crm/fans?search=ann")["fans"][0]["valueCents"] == 1200
    assert ada.get("/api/crm/fans?search=new")["fans"][0]["valueCents"] == 900
    steps.undo()
    assert state() == before


def test_a_new_payer_comes_with_a_row_that_is_written(steps, ada):
    header = "Transaction ID,Username,Amount,Date\n"
    steps.upload(header + "t1,bob,5.00,2026-01-01\nt2,bob,6.00,2026-01-01\n").rehearse().apply()
    again = "t3,newcomer,7.00,2026-01-02\nt1,newcomer,5.00,2026-01-01\nt2,newcomer,9.00,2026-01-01\n"
    row = steps.upload(header + again).rehearse().apply().row
    assert (row.inserted, row.unchanged, row.conflict_rows, row.not_applied) == (1, 1, 1, 0)
    assert ada.get("/api/crm/fans?search=newcomer")["fans"][0]["valueCents"] == 700


def test_a_hundred_payments_of_one_new_payer_make_one_fan(steps, ada):
    rows = "".join(f"t{n},newcomer,1.00,2026-01-01\n" for n in range(100))
    assert steps.upload("Transaction ID,Username,Amount,Date\n" + rows).rehearse().apply().row.inserted == 100
    (fan,) = ada.get("/api/crm/fans")["fans"]
    assert fan["valueCents"] == 10_000


@pytest.mark.parametrize(
    ("rules", "expected", "left_out"),
    [
        ({"mode": "create"}, (1, 0, 0, 2), "known already"),
        ({"mode": "update"}, (0, 1, 1, 1), "No such fan"),
        ({"mode": "both"}, (1, 1, 1, 0), ""),
    ],
)
def test_only_new_fans_or_only_known_ones(steps, ada, rules, expected, left_out):
    standing(ada)
    row = steps.upload("Username,Name\nnew,New\nann,Anne\nbob,Bob\n").rehearse(**rules).row
    assert (row.new_rows, row.changed_rows, row.unchanged, row.rejected_rows) == expected
    assert all(left_out in reason for reason in steps.listed("rejected"))


def test_a_row_finds_its_fan_by_those_names_only_that_were_chosen(steps, ada):
    standing(ada)
    content = "Username,Email\nann.new,ann@old.example\n"
    assert steps.upload(content).rehearse(match=("email",)).row.changed_rows == 1
    assert steps.upload(content).rehearse(match=("handle",)).row.new_rows == 1
    row = steps.upload("Username,Email\nann,other@example.com\n").rehearse(match=("email",)).row
    assert row.conflict_rows == 1
    assert "Another fan has this name" in steps.listed("conflicts")[0]


def test_empty_cells_clear_and_tags_replace_where_that_is_wanted(steps, ada):
    standing(ada)
    steps.upload("Username,Name,Email,Tags,Total Spent\nann,,,Gold|Silver,\n").rehearse(
        empty="clear", tags="replace"
    ).apply()
    ann = ada.get("/api/crm/fans?search=ann")["fans"][0]
    assert (ann["name"], ann["email"], sorted(ann["tags"]), ann["valueCents"]) == (None, None, ["Gold", "Silver"], 0)


def test_a_handle_and_an_email_of_two_different_fans_conflict(steps, ada):
    standing(ada)
    row = steps.upload("Username,Email\nbob,ann@old.example\n").rehearse().row
    assert (row.conflict_rows, row.changed_rows) == (1, 0)
    assert "the e-mail of another fan: @ann" in steps.listed("conflicts")[0]


def test_one_handle_for_two_platform_ids_conflicts_within_a_file(steps):
    row = steps.upload("User ID,Username\n1,ann\n2,ann\n").rehearse().row
    assert (row.new_rows, row.conflict_rows) == (1, 1)


def test_an_import_that_broke_off_can_be_undone(steps, state, app, ada, monkeypatch):
    from functools import partial

    from app.imports import sets

    standing(ada)
    before = state()
    steps.upload(MIXED + "".join(f"more{n},More,,,,\n" for n in range(30))).rehearse()
    monkeypatch.setattr(sets, "next_set", partial(sets.next_set, rows=10))
    count, left = sets.count, [2]

    def breaks(*arguments, **more):
        left[0] -= 1
        if left[0] < 0:
            raise RuntimeError("no")
        count(*arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(sets, "count", breaks)
        with pytest.raises(RuntimeError):
            steps.apply()
        for _ in range(3):
            with app.app_context(), pytest.raises(RuntimeError):
                actions.run_import(steps.id)
    assert steps.row.status == "failed"
    assert state() != before
    row = steps.undo().row
    assert row.status == "undone"
    assert state() == before


def test_nothing_to_undo_is_said(steps):
    with pytest.raises(Conflict):
        steps.upload(MIXED).undo()


def test_an_export_brings_the_same_fans_back(steps, ada, eve, app, bring):
    standing(ada)
    fields = (
        "handle",
        "name",
        "email",
        "tags",
        "value_cents",
        "last_seen_at",
        "notes",
        "phone",
        "platform_fan_id",
        "timezone",
        "subscribed_at",
        "subscription_ends_at",
        "custom",
    )
    steps.upload(
        "Username,Name,Email,Tags,Total Spent,Last Seen,Notes,Phone,User ID,Time Zone,Subscribed At,Expires,Farbe\n"
        '@zoë,=Zoë 🌙,zoe@example.com,"a,b;c",$1.05,2026-11-01T10:30:00Z,"two\nlines",+1 555,77,Asia/Tokyo,'
        "2026-01-05T08:00:00Z,2027-01-05T08:00:00Z,red\n"
    ).rehearse(*fields).apply()
    exported = ada.browser().get("/fans.csv?sort=name").text
    assert exported.count("\n") >= 4
    assert "'=Zoë" in exported
    assert "Asia/Tokyo,2026-01-05T08:00:00Z,2027-01-05T08:00:00Z,red" in exported
    assert counts(bring(exported)) == (0, 0, 3, 0)
    bring.person = eve
    assert counts(bring(exported)) == (3, 0, 0, 0)
    assert eve.browser().get("/fans.csv?sort=name").text == exported
    assert ada.browser().get("/fans.csv?search=zo").text.count("zoe@example.com") == 1


def test_a_fan_who_took_back_more_than_they_paid_is_exported_with_that_sum(bring, ada):
    bring("Transaction ID,Username,Amount,Date,Type\n1,ann,-1.50,2026-01-01,Chargeback\n")
    assert bring.fans()["@ann"].value_cents == -150
    assert ",-1.50," in ada.browser().get("/fans.csv").text
