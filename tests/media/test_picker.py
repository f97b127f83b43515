"""Choosing media for a message, by plain forms: nothing that was written is lost on the way."""

import io
import re

import pytest

from tests.media.conftest import PNG, upload
from tests.people import Person, add_fan, connect

MP4 = b"\0\0\0\x18ftypmp42" + bytes(40)


@pytest.fixture
def thread(ada: Person, sandbox) -> int:
    connect(ada, sandbox.url, account="acct_picker")
    return ada.post("/api/crm/conversations", {"fanId": add_fan(ada)["id"]})["id"]


class Composer:
    """A browser without JavaScript, with a message half written."""

    def __init__(self, person: Person, thread: int) -> None:
        self.browser, self.page = person.browser(), f"/messages/onlyfans/{thread}"
        found = self.browser.get(self.page).text
        self.form = {"text": "Half written", "price": "20", "csrf_token": value(found, "csrf_token")}
        self.form["client_message_id"] = value(found, "client_message_id")

    def post(self, path: str = "", **fields):
        return self.browser.post(self.page + path, data=self.form | fields, content_type="multipart/form-data")


def value(page: str, name: str) -> str:
    tag = next(tag for tag in re.findall(r"<input[^>]*>", page) if f'name="{name}"' in tag)
    found = re.search(r'value="([^"]*)"', tag)
    assert found
    return found[1]


def attached(page: str) -> list[str]:
    """What the composer of the page carries."""
    return re.findall(r'<input type="hidden" name="media" value="([^"]*)">', page)


def test_to_the_library_and_back_with_all_that_was_written(ada: Person, thread: int):
    old, composer = upload(ada, name="old.png")["url"], Composer(ada, thread)
    picker = composer.post("/media", files=(io.BytesIO(PNG + b"new"), "new.png"), preview=old)
    assert picker.status_code == 200
    for name in composer.form:
        assert value(picker.text, name) == composer.form[name] or name == "csrf_token"
    new = re.search(r'value="(/media/\d+)" checked', picker.text)
    assert new, "what came along is kept, and ticked"
    assert new[1] != old
    page = composer.post("/compose", media=[new[1], old], preview=old).text
    assert "Half written" in page
    assert 'value="20' in page
    assert attached(page) == [new[1], old]
    assert f'name="preview" value="{old}" checked' in page
    assert attached(composer.post("/compose", media=[new[1], old], drop=old).text) == [new[1]]
    assert composer.post(media=[new[1], old], preview=old).status_code == 302
    sent = ada.get(f"/api/crm/conversations/{thread}/messages")["messages"][0]
    assert [each["url"] for each in sent["attachments"]] == [new[1], old]
    assert [each.get("preview") for each in sent["attachments"]] == [None, True]
    assert (sent["text"], sent["priceCents"]) == ("Half written", 2000)


def test_what_came_along_is_kept_whatever_else_is_wrong(ada: Person, thread: int):
    composer = Composer(ada, thread)
    answer = composer.post(price="2", files=(io.BytesIO(PNG + b"x"), "x.png"))
    assert answer.status_code == 400
    assert 'id="price-error"' in answer.text
    assert "$3.00 to $200.00" in answer.text
    [kept] = attached(answer.text)
    assert composer.post(price="1000001", media=kept).status_code == 400
    two = [(io.BytesIO(PNG + b"y"), "y.png"), (io.BytesIO(b"<html>"), "page.png")]
    answer = composer.post(media=kept, files=two)
    assert "Only pictures, videos and sounds can be sent." in answer.text
    assert len(attached(answer.text)) == 2
    assert ada.get(f"/api/crm/conversations/{thread}/messages")["total"] == 0


def test_without_a_price_no_preview_is_sent(ada: Person, thread: int):
    url = upload(ada)["url"]
    assert Composer(ada, thread).post(price="", media=url, preview=url).status_code == 302
    sent = ada.get(f"/api/crm/conversations/{thread}/messages")["messages"][0]
    assert sent["attachments"] == [{"type": "photo", "url": url, "name": "a.png"}]


def test_the_library_is_searched_and_leafed_through(ada: Person, eve: Person, thread: int):
    upload(eve, name="eves secret.png")
    clip = upload(ada, MP4, "Été clip.mp4")["url"]
    for number in range(25):
        upload(ada, PNG + bytes([number]), f"picture {number}.png")
    browser, page = ada.browser(), f"/messages/onlyfans/{thread}/media"
    first = browser.get(page).text
    assert first.index("picture 24.png") < first.index("picture 1.png")
    assert "clip" not in first
    assert "eves" not in first
    second = browser.get(f"{page}?part=tiles&cursor={value_of_button(first)}").text
    assert "picture 0.png" in second
    assert "clip.mp4" in second
    assert 'id="media-more"' not in second
    assert "clip.mp4" in browser.get(f"{page}?search=ete").text
    assert "clip.mp4" in browser.get(f"{page}?kind=video").text
    assert "picture" not in browser.get(f"{page}?kind=video&part=grid").text
    assert "Nothing by that name" in browser.get(f"{page}?search=nothing").text
    assert browser.get(f"{page}?cursor=x").status_code == 400
    kept = browser.get(f"{page}?search=picture&media={clip}&part=grid").text
    assert attached(kept) == [clip], "what was chosen goes along, also where it is not shown"


def value_of_button(page: str) -> str:
    found = re.search(r'name="cursor" value="([^"]*)"', page)
    assert found
    return found[1]


def test_an_empty_library_says_how_it_is_filled(ada: Person, thread: int):
    assert "No media yet" in ada.browser().get(f"/messages/onlyfans/{thread}/media").text


def test_what_a_fan_has_is_said_in_words(ada: Person, thread: int):
    free, paid = upload(ada, name="free.png")["url"], upload(ada, PNG + b"2", "paid.png")["url"]
    composer = Composer(ada, thread)
    composer.post(price="", media=free)
    composer = Composer(ada, thread)
    composer.post(media=paid)
    tiles = ada.browser().get(f"/messages/onlyfans/{thread}/media?part=tiles").text.split("</li>")
    words = [" ".join(re.sub(r"<[^>]*>", " ", tile).split()) for tile in tiles]
    assert re.fullmatch(r"paid\.png Sent \d+ \w{3} , not bought", words[0])
    assert re.fullmatch(r"free\.png Sent \d+ \w{3}", words[1])


def test_a_file_is_uploaded_by_itself(app, ada: Person, eve: Person, thread: int, monkeypatch):
    composer = Composer(ada, thread)
    answer = composer.post("/media/upload", file=(io.BytesIO(PNG + b"x"), "x.png"))
    assert answer.status_code == 200
    [kept] = attached(answer.text)
    chips = composer.browser.get(f"{composer.page}/media/chosen?media={kept}&preview={kept}").text
    assert attached(chips) == [kept]
    assert "checked" in chips
    wrong = composer.post("/media/upload", file=(io.BytesIO(b"<html>"), "x.png"))
    assert (wrong.status_code, wrong.mimetype) == (415, "text/plain")
    assert wrong.text == "Only pictures, videos and sounds can be sent."
    assert composer.post("/media/upload").status_code == 400
    monkeypatch.setitem(app.config, "MAX_UPLOAD_BYTES", 10)
    assert composer.post("/media/upload", file=(io.BytesIO(PNG + b"x12"), "x.png")).text == "The file is too large."


def test_media_of_others_are_not_to_be_had(ada: Person, eve: Person, thread: int):
    theirs, composer = upload(eve)["url"], Composer(ada, thread)
    answer = composer.post(media=theirs)
    assert answer.status_code == 400
    assert "no longer here" in answer.text
    assert composer.browser.get(f"{composer.page}/media/chosen?media={theirs}").status_code == 404
    assert composer.browser.get(f"{composer.page}/media?media={theirs}").status_code == 404
    assert ada.get(f"/api/crm/conversations/{thread}/messages")["total"] == 0
    no_token = composer.browser.post(f"{composer.page}/media/upload", data={"file": (io.BytesIO(PNG), "x.png")})
    assert no_token.status_code == 400
