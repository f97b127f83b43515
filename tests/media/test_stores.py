"""Where files lie: in the folder or in a bucket, streamed both ways; and what happens when the store does not play along."""

import http.server
import threading
import time
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from app import sweep
from app.config import BadSetting, read_settings
from app.database import db, utcnow
from app.media import actions, stores
from app.media.models import Medium
from tests.media.conftest import PNG, SECRET, Bucket, running_site, upload
from tests.people import Person, add_fan, connect
from tests.sending import drain
from tests.servers import wait_until

LONG = PNG + bytes(range(256)) * 4000


def rows(app) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Medium)) or 0


@pytest.mark.usefixtures("store")
def test_a_file_comes_back_as_it_was_whole_and_in_parts(ada: Person, eve: Person):
    medium = upload(ada, LONG, "Ünï 'x'; a.png")
    browser = ada.browser()
    whole = browser.get(medium["url"])
    assert (whole.status_code, whole.data, whole.mimetype) == (200, LONG, "image/png")
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert "filename*=UTF-8''%C3%9Cn%C3%AF%20%27x%27%3B%20a.png" in whole.headers["Content-Disposition"]
    for wanted, part in (("5-9", LONG[5:10]), ("1000000-", LONG[1000000:]), ("-7", LONG[-7:]), ("0-0", LONG[:1])):
        answer = browser.get(medium["url"], headers={"Range": f"bytes={wanted}"})
        assert (answer.status_code, answer.data) == (206, part), wanted
        assert answer.headers["Content-Range"].endswith(f"/{len(LONG)}")
        assert int(answer.headers["Content-Length"]) == len(part)
    assert browser.get(medium["url"], headers={"Range": f"bytes={len(LONG)}-"}).status_code == 416
    known = {"If-None-Match": whole.headers["ETag"]}
    assert browser.get(medium["url"], headers=known).status_code == 304
    changed = {"Range": "bytes=5-9", "If-Range": '"another"'}
    assert browser.get(medium["url"], headers=changed).data == LONG
    head = browser.head(medium["url"])
    assert (head.data, int(head.headers["Content-Length"])) == (b"", len(LONG))
    assert eve.browser().get(medium["url"]).status_code == 404


def test_a_medium_stays_in_the_store_it_was_put_into(ada: Person, sandbox, app, keep_in, bucket: Bucket):
    in_folder = upload(ada, PNG + b"folder")
    keep_in("s3://greenroom/of/ada", bucket.url)
    in_bucket = upload(ada, PNG + b"bucket")
    assert [each.rpartition("/")[0] for each in bucket.files()] == ["of/ada"]
    keep_in("folder", bucket.url)
    browser = ada.browser()
    assert browser.get(in_folder["url"]).data == PNG + b"folder"
    assert browser.get(in_bucket["url"]).data == PNG + b"bucket"
    connect(ada, sandbox.url)
    both = [in_folder["url"], in_bucket["url"]]
    body = {"recipientId": add_fan(ada)["id"], "content": "see", "mediaUrls": both}
    message = ada.post("/api/onlyfans/messages/send", body, 202)
    drain(app)
    assert ada.get(f"/api/onlyfans/messages/{message['messageId']}")["status"] == "sent"


class Refuses(http.server.BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_DELETE = do_PUT  # noqa: N815

    def log_message(self, *_: object) -> None: ...


class Hangs(Refuses):
    def do_PUT(self) -> None:
        time.sleep(2)


class HangsUp(Refuses):
    def do_PUT(self) -> None:
        self.rfile.read(10)
        self.connection.close()


@pytest.mark.parametrize("fault", [Refuses, Hangs, HangsUp, None])
def test_a_store_that_fails_is_said_and_nothing_is_kept(app, ada: Person, keep_in, monkeypatch, capsys, fault):
    monkeypatch.setattr(stores, "ANSWER_SECONDS", 0.3)
    if fault is None:
        keep_in("s3://greenroom", "http://127.0.0.1:9")
        answer = upload(ada, LONG, status=503)
    else:
        with running_site(fault) as url:
            keep_in("s3://greenroom", url)
            answer = upload(ada, LONG, status=503)
    assert answer["errors"][0]["field"] == "file"
    assert "Nothing was kept" in answer["errors"][0]["message"]
    with app.app_context():
        assert db.session.scalars(actions.queries.media_of(ada.account_id)).all() == []
        [left] = db.session.scalars(select(Medium.id)).all()
    assert ada.browser().get(f"/media/{left}").status_code == 404
    said = capsys.readouterr()
    assert SECRET not in said.out + said.err


def test_what_was_not_kept_is_swept_with_its_file(app, ada: Person, keep_in, bucket: Bucket):
    """The store took the file, but its answer was lost."""
    with running_site(HangsUp) as url:
        keep_in("s3://greenroom", url)
        upload(ada, LONG, status=503)
    with app.app_context():
        file = db.session.scalars(select(Medium.file)).one()
    bucket.client.put_object(Bucket="greenroom", Key=file, Body=LONG)
    later = utcnow() + actions.LONGEST_UPLOAD + timedelta(seconds=1)
    with time_machine.travel(later), app.app_context():
        actions.discard_media()  # the store still does not answer
    assert (bucket.files(), rows(app)) == ([file], 1)
    keep_in("folder", bucket.url)
    with app.app_context():
        assert not actions.is_discarding_needed()
    kept = upload(ada)
    with time_machine.travel(later + actions.UNTIL_NEXT_TRY + timedelta(minutes=1)), app.app_context():
        assert actions.is_discarding_needed()
        sweep.ring_again(("links",))
        actions.discard_media()
        actions.discard_media()
    assert (bucket.files(), rows(app)) == ([], 1)
    assert ada.browser().get(kept["url"]).status_code == 200


def test_a_message_waits_for_a_store_that_fails(app, ada: Person, sandbox, keep_in, bucket: Bucket, monkeypatch):
    monkeypatch.setitem(app.config, "SEND_BACKOFF_SECONDS", (1.0, 1.0))
    keep_in("s3://greenroom", bucket.url)
    medium = upload(ada)
    connect(ada, sandbox.url)
    keep_in("s3://greenroom", "http://127.0.0.1:9")
    body = {"recipientId": add_fan(ada)["id"], "content": "see", "mediaUrls": [medium["url"]]}
    message = ada.post("/api/onlyfans/messages/send", body, 202)["messageId"]
    assert ada.browser().get(medium["url"]).status_code == 503
    sender = threading.Thread(target=drain, args=(app,))
    sender.start()
    tried = wait_until(lambda: attempts(ada, message))
    keep_in("s3://greenroom", bucket.url)
    sender.join(20)
    assert tried[0]["outcome"] == "not_sent"
    assert "store of the files" in tried[0]["detail"]
    assert ada.get(f"/api/onlyfans/messages/{message}")["status"] == "sent"
    assert len([each for each in sandbox.sends() if each["outcome"] == "accepted"]) == 1


def attempts(ada: Person, message: int) -> list[dict]:
    """Those that were answered."""
    return [each for each in ada.get(f"/api/onlyfans/messages/{message}")["attempts"] if each["outcome"]]


@pytest.mark.usefixtures("store")
def test_a_file_that_somebody_took_away_is_not_there(app, ada: Person, sandbox, request):
    medium = upload(ada)
    with app.app_context():
        row = db.session.get_one(Medium, medium["id"])
        stores.store_named(row.store).delete(row.file)
        stores.store_named(row.store).delete(row.file)
    assert ada.browser().get(medium["url"]).status_code == 404
    connect(ada, sandbox.url)
    body = {"recipientId": add_fan(ada)["id"], "content": "see", "mediaUrls": [medium["url"]]}
    message = ada.post("/api/onlyfans/messages/send", body, 202)
    drain(app)
    assert (
        ada.get(f"/api/onlyfans/messages/{message['messageId']}")["statusReason"] == "An attachment is no longer here."
    )


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"GREENROOM_MEDIA_STORE": "bucket"}, "GREENROOM_MEDIA_STORE"),
        ({"GREENROOM_MEDIA_STORE": "s3://"}, "GREENROOM_MEDIA_STORE"),
        ({"GREENROOM_S3_ENDPOINT": "storage.example.com"}, "GREENROOM_S3_ENDPOINT"),
        ({"GREENROOM_S3_KEY_ID": "only"}, "GREENROOM_S3_SECRET"),
    ],
)
def test_settings_that_cannot_be_meant_are_named(tmp_path, settings: dict[str, str], named: str):
    with pytest.raises(BadSetting, match=named):
        read_settings({"GREENROOM_INSTANCE": str(tmp_path)} | settings)


def test_settings_as_they_are_meant(tmp_path):
    read = read_settings({"GREENROOM_INSTANCE": str(tmp_path), "GREENROOM_MEDIA_STORE": "s3://my-bucket/a/b/"})
    assert (read["MEDIA_STORE"], read["S3_REGION"]) == ("s3://my-bucket/a/b", "us-east-1")
    assert read_settings({"GREENROOM_INSTANCE": str(tmp_path)})["MEDIA_STORE"] == "folder"
