"""An owner takes the whole account along from the browser: one file, whole or not there at all, for the owner alone."""

import os
import random
import resource
import secrets
import shutil
import signal
import time
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import update

from app import background, sweep
from app.accounts.models import Account
from app.database import db, execute, utcnow, write
from app.errors import Conflict
from app.media.models import Medium
from app.portability import actions, files, queries, running
from app.portability.erasing import erase_fan
from app.portability.models import AccountExport
from tests.forked import forked
from tests.people import Person, add_fan, make_person, submit
from tests.portability.rich import bring, figures, fill, tables_in

PAGE = "/settings/leave"
BIG = 24 * 1024 * 1024
HUGE = 256 * 1024 * 1024  # more than any other file that is written here: the database itself must go on


@pytest.fixture
def folder(app) -> Iterator[Path]:
    path = app.config["INSTANCE"] / "exports"
    shutil.rmtree(path, ignore_errors=True)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def begin(person: Person) -> int:
    with person.app.app_context():
        return actions.begin(person.account_id, person.user_id).id


def run(app, export_id: int) -> AccountExport:
    with app.app_context():
        actions.run_export(export_id)
        return stands(app, export_id)


def stands(app, export_id: int) -> AccountExport:
    with app.app_context():
        found = db.session.get_one(AccountExport, export_id, populate_existing=True)
        db.session.expunge(found)
        return found


def taken(person: Person) -> int:
    export_id = begin(person)
    assert run(person.app, export_id).state == "done"
    return export_id


def download(browser: FlaskClient, export_id: int, into: Path) -> Path:
    answer = browser.get(f"{PAGE}/{export_id}.zip")
    assert answer.status_code == 200
    into.write_bytes(answer.data)
    return into


@pytest.mark.postgres
def test_what_is_downloaded_arrives_elsewhere_as_it_was(app, ada: Person, sandbox, elsewhere, folder, tmp_path):
    fill(ada, sandbox.url)
    before, browser = figures(ada), ada.browser()
    assert "No file yet" in browser.get(PAGE).text
    assert submit(browser, PAGE).headers["Location"] == PAGE
    with app.app_context():
        found = queries.export_at_work(ada.account_id)
        assert found is not None
        export_id = found.id
    assert "Waits for a worker" in browser.get(PAGE).text
    done = run(app, export_id)
    page = browser.get(PAGE).text
    assert done.file_name.startswith("greenroom-adas-account-20")
    assert done.file_name in page
    assert "Begin the export" in page
    assert (done.rows, done.files) == (done.total_rows, 1)
    left = download(browser, export_id, tmp_path / "left.zip")
    assert left.stat().st_size == done.size
    assert done.rows == sum(len(rows) for name, rows in tables_in(left).items() if name != "people.jsonl")
    there = bring(elsewhere, left)
    assert figures(there) == before
    again = download(there.browser(), taken(there), tmp_path / "again.zip")
    assert tables_in(again) == tables_in(left)
    shutil.rmtree(elsewhere.config["INSTANCE"] / "exports")


def test_it_is_only_for_download_kept_nowhere_and_written_down(app, ada: Person, folder):
    export_id = taken(ada)
    browser = ada.browser()
    answer = browser.get(f"{PAGE}/{export_id}.zip")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=greenroom-adas-account-")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.mimetype == "application/zip"
    log = browser.get("/settings/audit?kind=exports").text
    assert 'downloaded: <span dir="auto">the whole account' in log
    assert "had a file made of the whole account" in log


def test_nobody_else_of_this_machine_may_read_it(app, ada: Person, folder):
    taken(ada)
    (path,) = folder.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o777 == 0o600
    assert ada.browser().get(f"/static/../exports/{path.name}").status_code == 404


def test_owners_alone_take_it_and_none_of_another_account(app, ada: Person, eve: Person, folder):
    export_id = taken(ada)
    assert eve.browser().get(f"{PAGE}/{export_id}.zip").status_code == 404
    assert "greenroom-adas" not in eve.browser().get(PAGE).text
    for role in ("manager", "chatter", "uploader", "viewer"):
        browser = make_person(app, f"{role}@example.com", "Ada's account", role=role).browser()
        assert browser.get(PAGE).status_code == 403
        assert browser.get(f"{PAGE}/{export_id}.zip").status_code == 403
    assert ada.call("GET", f"{PAGE}/{export_id}.zip").status_code == 302, "a program's token opens no page"


def test_who_asks_twice_gets_the_one_that_runs(app, ada: Person, eve: Person, folder):
    first = begin(ada)
    assert begin(ada) == first
    assert begin(eve) != first
    assert run(app, first).state == "done"
    assert begin(ada) != first


def test_while_a_worker_is_at_it_no_other_is(app, ada: Person, folder):
    export_id = begin(ada)
    with app.app_context():
        assert running._claim(export_id) is not None
        assert running._claim(export_id) is None


def sparse_medium(person: Person, store: str = "folder", size: int = BIG) -> None:
    """One large file, which takes no room before it is copied."""
    name = secrets.token_hex(16)
    with person.app.app_context(), write() as session:
        path = person.app.config["INSTANCE"] / "media" / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
        os.truncate(path, size)
        session.add(
            Medium(account_id=person.account_id, name="a", content_type="image/png", size=size, file=name, store=store)
        )


def test_a_full_disk_leaves_nothing_and_says_so(app, ada: Person, folder):
    sparse_medium(ada, size=HUGE)
    export_id, limits = begin(ada), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (HUGE - 1, limits[1]))
    try:
        failed = run(app, export_id)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert failed.state == "failed"
    assert list(folder.iterdir()) == []
    browser = ada.browser()
    page = browser.get(PAGE).text
    assert "The disk is full. Make room on it" in page
    assert "Begin again" in page
    assert browser.get(f"{PAGE}/{export_id}.zip").status_code == 404
    taken(ada)


def test_it_stops_while_there_is_still_room_for_others(app, ada: Person, folder, monkeypatch):
    monkeypatch.setattr(files, "LEAST_FREE", 2**62)
    failed = run(app, begin(ada))
    assert (failed.state, failed.reason) == ("failed", files.NoRoom().detail)
    assert list(folder.iterdir()) == []


def test_what_breaks_off_is_tried_three_times(app, ada: Person, folder):
    sparse_medium(ada, store="s3://nowhere")
    app.config["S3_ENDPOINT"] = "http://127.0.0.1:9"
    export_id = begin(ada)
    for _ in range(3):
        with pytest.raises(Exception):  # noqa: B017  whatever a store says
            run(app, export_id)
    failed = stands(app, export_id)
    assert (failed.state, failed.reason) == ("failed", running.BROKE_OFF)
    assert list(folder.iterdir()) == []


def kill(app, export_id: int, seconds: float) -> None:
    """Its worker, and lets the time pass that a dead one's lease would still run."""
    pid = forked(app, actions.run_export, export_id)
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    with app.app_context(), write():
        past = {"lease_until": utcnow() - timedelta(seconds=1)}
        execute(update(AccountExport).where(AccountExport.lease_until.is_not(None)).values(past))


def test_a_worker_killed_at_any_moment_leaves_no_half_file(app, ada: Person, sandbox, folder, tmp_path):
    fill(ada, sandbox.url)
    sparse_medium(ada)
    dice = random.Random(5)
    for _ in range(4):
        export_id = begin(ada)
        for _ in range(2):
            kill(app, export_id, dice.uniform(0, 0.3))
            whole = [each for each in folder.glob("*.zip") if stands(app, export_id).state != "done"]
            assert not [each for each in whole if zipfile.ZipFile(each).testzip()]
        assert run(app, export_id).state == "done"
        assert zipfile.ZipFile(download(ada.browser(), export_id, tmp_path / "left.zip")).testzip() is None
        with app.app_context():
            actions.clear_up()
            assert {each.stem for each in folder.iterdir()} == queries.stored_files()


def test_one_whose_workers_always_die_is_given_up(app, ada: Person, folder):
    sparse_medium(ada)
    export_id = begin(ada)
    with app.app_context():
        for _ in range(3):
            assert running._claim(export_id) is not None
            with write():
                execute(update(AccountExport).values(lease_until=utcnow() - timedelta(seconds=1)))
    assert run(app, export_id).reason == running.BROKE_OFF


def test_the_sweep_rings_again_for_what_was_forgotten(app, ada: Person, folder):
    export_id = begin(ada)
    with app.app_context():
        assert queries.unfinished() == []
        with time_machine.travel(utcnow() + timedelta(minutes=1), tick=True):
            assert queries.unfinished() == [export_id]
            sweep.ring_again(("imports",))
            assert background.queue_lengths()["imports"] == 1
            assert running._claim(export_id) is not None
            assert queries.unfinished() == [], "a worker is at it"
        with time_machine.travel(utcnow() + timedelta(minutes=3), tick=True):
            assert queries.unfinished() == [export_id], "it has not been heard of"


def test_a_worker_that_is_asked_to_stop_leaves_it_to_the_next(app, ada: Person, folder):
    export_id = begin(ada)
    background.stopping.set()
    try:
        waits = run(app, export_id)
    finally:
        background.stopping.clear()
    assert (waits.state, waits.tries) == ("queued", 0)
    assert list(folder.iterdir()) == []
    assert run(app, export_id).state == "done"


def test_one_that_is_stopped_is_never_whole(app, ada: Person, folder):
    export_id = begin(ada)
    with app.app_context():
        work = running._claim(export_id)
    assert work is not None
    submit(ada.browser(), f"{PAGE}/{export_id}/delete", PAGE)
    with app.app_context(), pytest.raises(running.LeaseLost), files.draft(work.stored_file) as path:
        work.write(path)
    assert stands(app, export_id).reason == actions.STOPPED
    assert list(folder.iterdir()) == []


def test_one_that_is_stopped_and_cleared_away_in_the_last_moment_is_no_failure(app, ada: Person, folder):
    export_id = begin(ada)
    with app.app_context():
        work = running._claim(export_id)
        assert work is not None
        path = files.folder() / f"{work.stored_file}.part"
        work.beat = lambda so_far: path.unlink() if so_far.is_whole else None
        with pytest.raises(running.LeaseLost), files.draft(work.stored_file):
            work.write(path)


def test_who_deletes_it_finds_it_gone(app, ada: Person, folder):
    export_id = taken(ada)
    browser = ada.browser()
    submit(browser, f"{PAGE}/{export_id}/delete", PAGE)
    assert list(folder.iterdir()) == []
    assert actions.THROWN_AWAY in browser.get(PAGE).text
    assert browser.get(f"{PAGE}/{export_id}.zip").status_code == 404
    with app.app_context(), pytest.raises(Conflict):
        actions.discard(ada.account_id, export_id)


def test_after_seven_days_it_goes(app, ada: Person, folder):
    export_id = taken(ada)
    with app.app_context():
        with time_machine.travel(utcnow() + timedelta(days=6, hours=23), tick=True):
            sweep.ring_again(("imports",))
            assert len(list(folder.iterdir())) == 1
        with time_machine.travel(utcnow() + timedelta(days=7, minutes=1), tick=True):
            sweep.ring_again(("imports",))
    assert list(folder.iterdir()) == []
    gone = stands(app, export_id)
    assert (gone.state, gone.reason) == ("deleted", actions.EXPIRED)


def test_what_no_row_speaks_for_goes(app, ada: Person, eve: Person, folder):
    taken(ada)
    kept = stands(app, taken(eve)).stored_file
    (folder / "0123.part").touch()
    with app.app_context():
        with write() as session:
            session.execute(Account.__table__.delete().where(Account.id == ada.account_id))
        actions.clear_up()
    assert [each.name for each in folder.iterdir()] == [f"{kept}.zip"]


def test_a_file_that_is_no_longer_there_is_said_to_be_gone(app, ada: Person, folder):
    export_id = taken(ada)
    shutil.rmtree(folder)
    answer = ada.browser().get(f"{PAGE}/{export_id}.zip")
    assert answer.status_code == 404
    assert "Begin a new export" in answer.text


def test_who_is_erased_is_in_no_file_any_more(app, ada: Person, eve: Person, folder):
    fan, others = add_fan(ada, 1, name="Zenobie"), taken(eve)
    export_id = taken(ada)
    with app.app_context():
        erase_fan(ada.account_id, fan["id"])
    assert stands(app, export_id).reason == actions.HELD_THE_ERASED
    assert actions.HELD_THE_ERASED in ada.browser().get(PAGE).text
    assert [each.stem for each in folder.iterdir()] == [stands(app, others).stored_file]


def test_one_that_is_written_meanwhile_is_begun_anew_without_them(app, ada: Person, folder, tmp_path):
    fan = add_fan(ada, 1, name="Zenobie")
    export_id = begin(ada)
    with app.app_context():
        work = running._claim(export_id)
        assert work is not None
        erase_fan(ada.account_id, fan["id"])
        with pytest.raises(running.LeaseLost), files.draft(work.stored_file) as path:
            work.write(path)
    assert list(folder.iterdir()) == []
    assert run(app, export_id).state == "done"
    with zipfile.ZipFile(download(ada.browser(), export_id, tmp_path / "left.zip")) as file:
        assert b"Zenobie" not in b"".join(file.read(name) for name in file.namelist())
