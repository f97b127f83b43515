"""What may come in as a medium, and that it can do nothing where it is shown."""

import pytest

from tests.media.conftest import PNG, upload
from tests.people import Person

SCRIPT = b"<script>alert(document.domain)</script>"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.jpg", b"<!doctype html><html>" + SCRIPT),
        ("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
        ("drawing.png", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'),
        ("paper.png", b"%PDF-1.7\n"),
        ("archive.mp4", b"PK\x03\x04" + bytes(60)),
        ("program.gif", b"MZ" + bytes(60)),
        ("script.mp3", b"alert(1)"),
        ("late.png", b"\n" + PNG),
    ],
)
def test_what_is_no_medium_by_its_content_is_refused(ada: Person, name: str, content: bytes):
    answer = upload(ada, content, name, 415)
    assert answer["errors"] == [{"field": "file", "message": "Only pictures, videos and sounds can be sent."}]


@pytest.mark.parametrize(
    ("name", "content", "content_type"),
    [
        ("page.html", b"GIF89a/*" + SCRIPT, "image/gif"),
        ("x.svg", b"\xff\xd8\xff\xe0" + SCRIPT, "image/jpeg"),
        ("x.js", b"ID3=1;" + SCRIPT, "audio/mpeg"),
    ],
)
def test_what_is_two_things_at_once_is_shown_as_a_medium_and_nothing_else(ada: Person, name, content, content_type):
    answer = ada.browser().get(upload(ada, content, name)["url"])
    assert answer.mimetype == content_type
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["Content-Disposition"].startswith("inline; ")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.cache_control.private


def test_a_file_that_is_too_large_or_empty_is_refused(app, ada: Person, monkeypatch):
    monkeypatch.setitem(app.config, "MAX_UPLOAD_BYTES", 1000)
    assert upload(ada, PNG + bytes(1000), status=413)["errors"][0]["field"] == "file"
    assert upload(ada, b"", status=400)["errors"][0]["message"] == "The file is empty."
    upload(ada, PNG + bytes(1000 - len(PNG)))


def test_a_name_says_nothing_about_where_a_file_lies(ada: Person):
    medium = upload(ada, name="../../etc/pass\x07wd; filename=é.html")
    assert medium["name"] == "passwd; filename=é.html"
    answer = ada.browser().get(medium["url"])
    assert answer.headers["Content-Disposition"].startswith('inline; filename="passwd; filename=_.html"; ')


def test_the_names_of_files_are_no_secret_between_accounts_either(ada: Person, eve: Person):
    medium = upload(ada)
    for address in (medium["url"], f"/media/{medium['id'] + 1}"):
        assert eve.browser().get(address).status_code == 404
    assert ada.app.test_client().get(medium["url"]).status_code == 302
