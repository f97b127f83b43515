"""A file on the real application: what it does to the people, and what it says about every row."""

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.background import stopping
from app.database import db, utcnow, write
from app.errors import Invalid, NotFound
from app.fans.models import Fan
from app.imports import actions, downloads, files, queries, sets
from app.imports.models import Import
from app.money.models import Transaction
from tests.imports.conftest import HOUSE, counts
from tests.people import add_fan

EXAMPLE = Path(__file__).parents[2] / "examples" / "fans.csv"


def test_the_house_file_makes_fans(bring):
    summary = bring(HOUSE + 'johndoe,Jöhn 😀,john@example.com,VIP,$500.00,2026-11-01\n@ann,Ann,,,"$1,234.50",\n')
    assert counts(summary) == (2, 0, 0, 0)
    john, ann = bring.fans()["@johndoe"], bring.fans()["@ann"]
    assert (john.name, john.email, john.tags, john.value_cents) == ("Jöhn 😀", "john@example.com", ["VIP"], 50000)
    assert john.last_seen_at == datetime(2026, 11, 1, tzinfo=UTC)
    assert (ann.email, ann.tags, ann.value_cents, ann.last_seen_at) == (None, [], 123450, None)


def test_the_same_file_again_changes_nothing(bring):
    content = EXAMPLE.read_bytes()
    assert counts(bring(content)) == (1000, 0, 0, 0)
    before = {handle: fan.updated_at for handle, fan in bring.fans().items()}
    assert counts(bring(content)) == (0, 0, 1000, 0)
    assert {handle: fan.updated_at for handle, fan in bring.fans().items()} == before


def test_an_empty_cell_keeps_what_stands_and_tags_are_added(bring):
    bring(HOUSE + "ann,Ann,ann@example.com,VIP,$5.00,2026-11-01\n")
    assert counts(bring(HOUSE + "ANN,,,Gold,,\n")) == (0, 1, 0, 0)
    ann = bring.fans()["@ann"]
    assert (ann.name, ann.email, ann.value_cents, sorted(ann.tags)) == ("Ann", "ann@example.com", 500, ["Gold", "VIP"])


@pytest.mark.parametrize(
    ("standing", "header", "row"),
    [
        ({"platformFanId": "77"}, "Platform ID,Notes", "77,new"),
        ({"handle": "@Ann"}, "Username,Notes", "aNN,new"),
        ({"email": "ann@example.com"}, "Email,Notes", "ANN@Example.com,new"),
        ({"handle": "@ann", "email": "ann@example.com"}, "Username,Email,Notes", "ann.new,ann@example.com,new"),
        ({}, "Name,Notes", "Ann Lee,new"),
    ],
)
def test_a_row_finds_its_fan(bring, ada, standing, header, row):
    fan = ada.post("/api/crm/fans", {"name": "Ann Lee", **standing})
    assert counts(bring(f"{header}\n{row}\n")) == (0, 1, 0, 0)
    assert ada.get(f"/api/crm/fans/{fan['id']}")["notes"] == "new"


def test_a_name_alone_does_not_find_a_fan_who_has_a_handle(bring, ada):
    ada.post("/api/crm/fans", {"name": "Ann Lee", "handle": "ann"})
    assert counts(bring("Name,Notes\nAnn Lee,new\n")) == (1, 0, 0, 0)


def test_a_handle_links_to_its_platform_id(bring, ada):
    ada.post("/api/crm/fans", {"handle": "ann"})
    bring("Username,User ID\nann,77\n")
    assert bring.fans()["@ann"].platform_fan_id == "77"


def test_two_rows_for_one_fan_the_later_wins(bring):
    summary = bring(HOUSE + "ann,First,,VIP,$1.00,\nbob,Bob,,,,\nANN,Second,,,,\n")
    assert counts(summary) == (2, 0, 0, 1)
    assert summary["errors"][0]["row"] == 2
    assert summary["errors"][0]["column"] == "Username"
    assert summary["errors"][0]["value"] == "ann"
    ann = bring.fans()["@ann"]
    assert (ann.name, ann.tags, ann.value_cents) == ("Second", [], 0)


def test_a_bad_later_row_does_not_push_out_a_good_one(bring):
    assert counts(bring(HOUSE + "ann,Ann,,,,\nann,Bad,x@,,,\n")) == (1, 0, 0, 1)
    assert bring.fans()["@ann"].name == "Ann"


def test_two_rows_known_to_be_one_fan_only_by_what_stands(bring, ada):
    ada.post("/api/crm/fans", {"handle": "ann", "email": "ann@example.com"})
    assert counts(bring("Username,Email,Notes\nann,,first\n,ann@example.com,second\n")) == (0, 1, 0, 1)
    assert bring.fans()["@ann"].notes == "second"


def test_people_who_share_an_e_mail_stay_apart(bring):
    content = "Username,Email\nann,box@example.com\nbob,box@example.com\n"
    assert counts(bring(content)) == (2, 0, 0, 0)
    assert counts(bring(content)) == (0, 0, 2, 0)


def test_one_of_them_may_stand_already(bring, ada):
    ada.post("/api/crm/fans", {"handle": "ann", "email": "box@example.com"})
    assert counts(bring("Username,Email\nann,box@example.com\nbob,box@example.com\n")) == (1, 0, 1, 0)


def test_a_row_that_fits_two_fans_is_skipped_with_a_reason(bring, ada):
    ada.post("/api/crm/fans", {"handle": "ann", "platformFanId": "1"})
    ada.post("/api/crm/fans", {"handle": "bob", "platformFanId": "2"})
    summary = bring("User ID,Username,Notes\n1,bob,x\n9,ann,x\n2,bob,fine\n")
    assert counts(summary) == (0, 1, 0, 2)
    assert [error["row"] for error in summary["errors"]] == [2, 3]


def test_a_bad_cell_rejects_the_row(bring):
    summary = bring(HOUSE + "ann,Ann,x@,,much,\nbob,Bob,,,$1.50,\n,,,VIP,,\ncy,Cy,,,,,extra\n")
    assert counts(summary) == (1, 0, 0, 3)
    first, second, third = summary["errors"]
    assert (first["row"], first["column"], first["value"]) == (2, "Email", "x@")
    assert first["error"].startswith("Invalid email format")
    assert "Total Spent" in first["error"]
    assert (second["row"], third["row"], third["column"]) == (4, 5, None)


def test_or_leaves_the_cell_out_with_a_warning(bring):
    summary = bring(HOUSE + "ann,Ann,x@,,$1.00,\n,,x@,,,\n", invalid="warn")
    assert counts(summary) == (1, 0, 0, 1)
    assert summary["warnings"] == [{"row": 2, "column": "Email", "value": "x@", "error": "Invalid email format"}]
    assert bring.fans()["@ann"].value_cents == 100


def test_a_sum_of_payments_outweighs_what_a_file_states(bring):
    bring("Transaction ID,Username,Amount,Date\n1,ann,5.00,2026-01-01\n")
    bring(HOUSE + "ann,,,,$100.00,\n")
    ann = bring.fans()["@ann"]
    assert (ann.value_cents, ann.stated_value_cents, ann.earned_cents) == (500, 10000, 500)


PAYMENTS = "Transaction ID,Username,Amount,Net,Date,Type\n"


def test_payments_come_in_once_and_their_payers_become_fans(bring, ada, count_of):
    add_fan(ada, handle="ann")
    content = PAYMENTS + "t1,ann,$5.00,$4.00,2026-01-01,Tip\nt2,ann,$7.00,,2026-01-02,PPV\nt3,bob,$1.00,,2026-01-03,\n"
    assert counts(bring(content)) == (3, 0, 0, 0)
    assert counts(bring(content)) == (0, 0, 3, 0)
    assert count_of(Transaction) == 3
    fans = bring.fans()
    assert (fans["@ann"].value_cents, fans["@bob"].value_cents) == (1200, 100)


def test_a_payment_twice_in_a_file_counts_once(bring):
    assert counts(bring(PAYMENTS + "t1,ann,$5.00,,2026-01-01,\nt1,ann,$5.00,,2026-01-01,\n")) == (1, 0, 0, 1)


def test_a_payment_with_another_amount_is_not_rewritten(bring):
    bring(PAYMENTS + "t1,ann,$5.00,,2026-01-01,\n")
    assert counts(bring(PAYMENTS + "t1,ann,$6.00,$4.00,2026-01-01,\n")) == (0, 0, 0, 1)
    assert counts(bring(PAYMENTS + "t1,ann,$5.00,$4.00,2026-01-01,\n")) == (0, 1, 0, 0)


def test_payments_without_an_id_are_told_apart_by_their_number(bring, count_of):
    content = "Username,Amount,Date,Type\n" + "ann,$5.00,2026-01-01,Tip\n" * 3 + "bob,$5.00,2026-01-01,Tip\n"
    assert counts(bring(content)) == (4, 0, 0, 0)
    assert counts(bring(content.replace(",", ";"))) == (0, 0, 4, 0)
    assert counts(bring(content + "ann,$5.00,2026-01-01,Tip\n")) == (1, 0, 4, 0)
    assert count_of(Transaction) == 5


def test_payments_that_do_not_say_who_paid_come_in_without_a_fan(bring, count_of):
    bring("transaction_id,type,amount,net_amount,currency,created_at\n7,tip,5.00,4.00,USD,2026-01-02T10:00:00Z\n")
    assert (count_of(Transaction), len(bring.fans())) == (1, 0)


def test_a_do_not_message_list_blocks_and_changes_nothing_else(bring, ada):
    ada.post("/api/crm/fans", {"handle": "ann", "name": "Ann"})
    content = "Username,Name\nann,Another name\neve,Eve\n"
    assert counts(bring(content, kind="do-not-message")) == (1, 1, 0, 0)
    assert counts(bring(content, kind="do-not-message")) == (0, 0, 2, 0)
    fans = bring.fans()
    assert (fans["@ann"].do_not_message, fans["@ann"].name) == (True, "Ann")
    assert (fans["@eve"].do_not_message, fans["@eve"].name) == (True, "Eve")


def test_an_import_never_lifts_a_block(bring, ada):
    ada.post("/api/crm/fans", {"handle": "ann", "doNotMessage": True})
    assert counts(bring("Username,Do Not Message\nann,no\n")) == (0, 0, 1, 0)
    assert bring.fans()["@ann"].do_not_message


@pytest.mark.parametrize(
    ("content", "filename", "options", "field", "status"),
    [
        ("", "a.csv", {}, "file", 400),
        (HOUSE, "a.csv", {}, "file", 400),
        (HOUSE + "ann,,,,,\n", "a.xlsx", {}, "file", 415),
        ("PK\x03\x04", "a.csv", {}, "file", 415),
        ("Colour\nred\n", "a.csv", {}, "file", 400),
        (HOUSE + 'ann,"Ann\n', "a.csv", {}, "file", 400),
        (HOUSE + "ann,,,,,03/04/2026\n", "a.csv", {}, "dateOrder", 400),
        (HOUSE + "ann,,,,,\n", "a.csv", {"kind": "cats"}, "kind", 400),
        (HOUSE + "ann,,,,,\n", "a.csv", {"invalid": "maybe"}, "invalid", 400),
        (HOUSE + "ann,,,,,\n", "a.csv", {"date_order": "ydm"}, "dateOrder", 400),
        (HOUSE + "ann,,,,,\n", "a.csv", {"decimal": ";"}, "decimal", 400),
        (HOUSE + "ann,,,,,\n", "a.csv", {"unit": "pounds"}, "unit", 400),
        (HOUSE + "ann,,,,,\n", "a.csv", {"currency": "dollars"}, "currency", 400),
        (HOUSE + "ann,,,,,\n", "a.csv", {"timezone": "Mars/Phobos"}, "timezone", 400),
        (HOUSE + "ann,,,,,\n", "a.csv", {"encoding": "klingon"}, "encoding", 400),
        (HOUSE + "ann,Zoë,,,,\n", "a.csv", {"encoding": "ascii"}, "encoding", 400),
        ("a" * (11 * 1024 * 1024), "a.csv", {}, "file", 413),
    ],
)
def test_bad_input_says_what_is_wrong_and_changes_nothing(
    bring, app, count_of, content, filename, options, field, status
):
    before = kept_files(app)
    with pytest.raises(Invalid) as error:
        bring(content, filename, **options)
    assert [name for name, _ in error.value.errors] == [field]
    assert error.value.status == status
    assert count_of(Import) == 0
    assert kept_files(app) == before


def kept_files(app):
    with app.app_context():
        return set(files.folder().glob("*"))


def test_the_rejected_rows_can_be_mended_and_brought_again(bring, app, ada):
    summary = bring(HOUSE + '@ann,"=Ann",x@,VIP,$5.00,2026-11-01\nbob,Bob,,,,\n')
    assert counts(summary) == (1, 0, 0, 1)
    with app.app_context():
        text = "".join(downloads.as_csv(queries.find_import(ada.account_id, bring.last_id), "skipped"))
    header, row = text.splitlines()
    assert header == HOUSE.strip() + ",row,error"
    assert row == "'@ann,'=Ann,x@,VIP,$5.00,2026-11-01,2,Invalid email format"
    assert counts(bring(text.replace("x@", "ann@example.com"))) == (1, 0, 0, 0)
    assert bring.fans()["@ann"].name == "=Ann"


def start(bring, content):
    """Queued, not yet run."""
    person = bring.person
    return actions.start(person.account_id, person.user_id, filename="a.csv", content=content.encode()).id


MANY = (
    HOUSE
    + "".join(f"fan{n},Fan {n},{'x@' if n % 40 == 0 else ''},VIP,$1.50,\n" for n in range(120))
    + "fan7,Later,,,,\n"
)


@pytest.fixture
def small_sets(monkeypatch):
    monkeypatch.setattr(sets, "next_set", partial(sets.next_set, rows=10))


@pytest.mark.parametrize("done", range(0, 14, 3))
def test_a_worker_that_dies_anywhere_leaves_work_that_another_ends(bring, app, small_sets, monkeypatch, done):
    count, left = sets.count, [done]

    def die(*arguments, **more):
        count(*arguments, **more)
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt  # as a kill: nothing is cleaned up after it

    with app.app_context():
        import_id = start(bring, MANY)
        with monkeypatch.context() as patch:
            patch.setattr(sets, "count", die)
            if done < 12:
                with pytest.raises(KeyboardInterrupt):
                    actions.run_import(import_id)
        actions.run_import(import_id)  # the dead one's lease still stands: hands off
        assert actions.wait_for(import_id, 0).is_at_work == (done < 12)
        with write() as session:
            session.execute(update(Import).values(lease_until=utcnow() - timedelta(seconds=1)))
        actions.run_import(import_id)
        summary = queries.summary(actions.wait_for(import_id, 0))
    assert counts(summary) == (117, 0, 0, 4)
    assert len(bring.fans()) == 117
    assert bring.fans()["@fan7"].name == "Later"


def test_a_worker_that_is_asked_to_stop_hands_over(bring, app, small_sets):
    with app.app_context():
        import_id = start(bring, MANY)
        stopping.set()
        try:
            actions.run_import(import_id)
        finally:
            stopping.clear()
        waiting = actions.wait_for(import_id, 0)
        assert (waiting.is_at_work, waiting.lease_until, waiting.tries) == (True, None, 0)
        actions.run_import(import_id)
        assert counts(queries.summary(actions.wait_for(import_id, 0))) == (117, 0, 0, 4)


def test_the_sweep_finds_what_nobody_works_on(bring, app):
    with app.app_context():
        import_id = start(bring, MANY)
        assert queries.unfinished() == []  # its own wake-up is under way
        with write() as session:
            session.execute(update(Import).values(created_at=utcnow() - timedelta(minutes=1)))
        assert queries.unfinished() == [import_id]
        actions.run_import(import_id)
        assert queries.unfinished() == []


def test_an_import_that_breaks_three_times_is_given_up_and_says_so(bring, app, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("no")

    monkeypatch.setattr(sets, "count", broken)
    with app.app_context():
        import_id = start(bring, MANY)
        for _ in range(3):
            with pytest.raises(RuntimeError):
                actions.run_import(import_id)
        failed = actions.wait_for(import_id, 0)
        assert failed.status == "failed"
        assert "broke off" in failed.failure


def test_another_accounts_import_does_not_exist(bring, app, eve):
    bring(HOUSE + "ann,,,,,\n")
    with app.app_context(), pytest.raises(NotFound):
        queries.find_import(eve.account_id, bring.last_id)


def test_an_import_stays_in_its_account(bring, app, eve):
    eve.post("/api/crm/fans", {"handle": "ann", "name": "Eve's Ann"})
    assert counts(bring(HOUSE + "ann,Ann,,,,\n")) == (1, 0, 0, 0)
    with app.app_context():
        names = set(db.session.scalars(select(Fan.name).where(Fan.account_id == eve.account_id)))
    assert names == {"Eve's Ann"}
