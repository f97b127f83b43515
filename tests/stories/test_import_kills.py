"""Imports whose workers are killed, really and at any moment; and two imports at once."""

import hashlib
import json
import os
import random
import signal
import time
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from app.database import db, utcnow, write
from app.imports import actions, queries
from app.imports.choosing import ColumnChoice, MappingChoice
from app.imports.models import Import, ImportStatus
from app.imports.options import Rules
from tests.forked import forked

ROWS, STANDING = 20_000, 10_000
KILLS, IMPORTS = 10, 5  # so many times in each: fifty moments
HEADER = "Username,Display Name,Email,Subscription Tier,Total Spent,Last Seen\n"


def lines(count: int, tag: str) -> str:
    return "".join(
        f"fan_{n},Fan {tag} {n},fan_{n}@{tag}.example,{tag},${n}.50,2026-11-{n % 28 + 1:02}\n" for n in range(count)
    )


@pytest.fixture
def account(app, ada) -> int:
    """With ten thousand fans whom the file knows otherwise."""
    with app.app_context():
        new = actions.start(ada.account_id, None, filename="a.csv", content=(HEADER + lines(STANDING, "old")).encode())
        actions.run_import(new.id)
    return ada.account_id


def rehearsed(account_id: int, content: str) -> int:
    (new,) = actions.upload(account_id, None, filename="a.csv", content=content.encode())
    columns = {each["index"]: ColumnChoice(each["field"]) for each in new.options["plan"]["columns"]}
    actions.map_columns(account_id, new.id, MappingChoice("fans", columns, Rules()))
    actions.run_import(new.id)
    return new.id


def state(account_id: int) -> str:
    """A digest of all that an import can change; ids apart, which are never given twice."""
    columns = "handle, name, email, stated_value_cents, value_cents, last_seen_at, search_text, do_not_message"
    of = {"account": account_id}
    fans = db.session.execute(text(f"SELECT {columns} FROM fans WHERE account_id = :account ORDER BY handle"), of).all()
    tags = db.session.execute(
        text(
            "SELECT handle, tag FROM fan_tags JOIN fans ON fans.id = fan_id WHERE fans.account_id = :account ORDER BY 1, 2"
        ),
        of,
    ).all()
    db.session.rollback()
    return hashlib.sha256(
        json.dumps([list(map(tuple, fans)), list(map(tuple, tags))], default=str).encode()
    ).hexdigest()


def run_with_kills(app, import_id: int, kills: int, dice: random.Random) -> int:
    """To the end, however often its worker is killed. Returns how often it was."""
    killed = 0
    while True:
        pid = forked(app, actions.run_import, import_id)
        if killed < kills:
            time.sleep(dice.uniform(0, 0.3))
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        killed += os.WIFSIGNALED(status)
        with app.app_context(), write() as session:
            at_work = session.get_one(Import, import_id).is_at_work
            past = {
                "lease_until": utcnow() - timedelta(seconds=1)
            }  # the time that a dead worker's lease would still run
            session.execute(update(Import).where(Import.id == import_id, Import.lease_until.is_not(None)).values(past))
        if not at_work:
            return killed


def test_a_worker_killed_at_any_moment_leaves_what_an_undisturbed_one_does(app, account):
    content = HEADER + lines(ROWS, "new")
    dice, killed = random.Random(11), 0
    with app.app_context():
        before = state(account)
        undisturbed = rehearsed(account, content)
        actions.apply(account, undisturbed)
        actions.run_import(undisturbed)
        after = state(account)
        assert after != before
        actions.undo(account, undisturbed)
        actions.run_import(undisturbed)
        assert state(account) == before
    for _ in range(IMPORTS):
        with app.app_context():
            import_id = rehearsed(account, content)
            actions.apply(account, import_id)
        killed += run_with_kills(app, import_id, KILLS, dice)
        with app.app_context():
            done = queries.find_import(account, import_id)
            counted = (done.status, done.inserted, done.updated, done.not_applied)
            assert counted == (ImportStatus.COMPLETED, ROWS - STANDING, STANDING, 0)
            assert state(account) == after
            actions.undo(account, import_id)
        run_with_kills(app, import_id, 1, dice)
        with app.app_context():
            undone = queries.find_import(account, import_id)
            assert (undone.status, undone.undone, undone.not_undone) == (ImportStatus.UNDONE, ROWS, 0)
            assert state(account) == before
    assert killed >= IMPORTS * KILLS * 0.6, "kills that struck"


def test_a_killed_rehearsal_begins_anew(app, account):
    dice = random.Random(5)
    with app.app_context():
        before = state(account)
        (new,) = actions.upload(account, None, filename="a.csv", content=(HEADER + lines(ROWS, "new")).encode())
        columns = {each["index"]: ColumnChoice(each["field"]) for each in new.options["plan"]["columns"]}
        actions.map_columns(account, new.id, MappingChoice("fans", columns, Rules()))
        import_id = new.id
    run_with_kills(app, import_id, KILLS, dice)
    with app.app_context():
        found = queries.find_import(account, import_id)
        assert (found.status, found.new_rows, found.changed_rows) == (ImportStatus.REHEARSED, ROWS - STANDING, STANDING)
        assert state(account) == before


def test_two_imports_at_once_do_not_harm_each_other(app, account):
    """The same people in opposite order, and people whom only their e-mail names."""
    nameless = "".join(f",Nameless {n},nameless{n}@example.com,,,\n" for n in range(2000))
    one = HEADER + lines(ROWS, "one") + nameless
    rows = lines(ROWS, "two").splitlines(keepends=True)
    other = HEADER + nameless + "".join(reversed(rows))
    with app.app_context():
        ids = [rehearsed(account, one), rehearsed(account, other)]
        for import_id in ids:
            actions.apply(account, import_id)
    pids = [forked(app, actions.run_import, import_id) for import_id in ids]
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0, 0]
    with app.app_context():
        done = [queries.find_import(account, import_id) for import_id in ids]
        assert [each.status for each in done] == [ImportStatus.COMPLETED] * 2
        assert all(each.inserted + each.updated + each.not_applied == ROWS + 2000 for each in done)
        assert sum(each.inserted for each in done) == ROWS - STANDING + 2000
        assert sum(each.updated for each in done) == STANDING
        twice = (
            select(text("email_key")).select_from(text("fans")).group_by(text("email_key")).having(text("count(*) > 1"))
        )
        assert db.session.execute(twice.where(text("account_id = :account")), {"account": account}).all() == []
