"""What is written is kept, launched once, and everything that is wrong is said beside its field."""

import csv
import io
import re
import threading

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.campaigns.models import Campaign
from app.conversations.actions import FILELESS
from app.conversations.models import Message
from app.database import db, write
from app.platforms.models import Connection
from tests.campaigns.composer import key_of, launch, ledger, newest, post, press, seen_in, send_all
from tests.people import Person, add_fan, connect, make_person

ALL = {
    "name": "Half written", "type": "ppv", "audience": "all", "text": "Hi {{first_name|love}}", "wordings-0": "Hello!",
    "price": "", "unanswered": "y", "messaged_within_hours": "12", "had_media": "y", "per_week": "3", "quiet_from": "22:00",
    "quiet_to": "08:00", "quiet_zone": "account", "holdout_percent": "10", "at_most": "50", "priority": "7", "when": "later",
    "send_time": "2099-06-01T10:00", "stop_time": "2099-06-02T10:00", "late_policy": "send", "late_hours": "3",
}  # fmt: skip


@pytest.fixture
def fan(ada: Person) -> int:
    return add_fan(ada, 1, name="Zoë Lang")["id"]


def new_key(browser: FlaskClient) -> str:
    return key_of(browser.get("/campaigns/new").text)


def test_a_draft_is_kept_as_one_types_and_comes_back_as_it_was(browser: FlaskClient, ada: Person):
    key = new_key(browser)
    for text in ("H", "Hi", ALL["text"]):
        answer = post(browser, "/campaigns/outlook", **ALL | {"key": key, "text": text})
        assert "Kept as a draft" in answer.text
    campaign = newest(ada)
    assert ada.get("/api/campaigns")["total"] == 1
    assert (campaign["status"], campaign["startedAt"], campaign["type"]) == ("draft", None, "ppv")
    assert answer.headers["HX-Replace-Url"] == f"/campaigns/{campaign['id']}/edit"
    page = browser.get(f"/campaigns/{campaign['id']}/edit").text
    assert key_of(page) == key
    for name, value in ALL.items():
        if value and value != "y":
            assert f'value="{value}"' in page or f">{value}</textarea>" in page or f"\n{value}</textarea>" in page, name
    assert page.count("checked") >= 4


def test_a_draft_with_a_price_comes_back_with_it(browser: FlaskClient, ada: Person):
    post(browser, do="draft", price="12.30")
    assert 'value="12.30"' in browser.get(f"/campaigns/{newest(ada)['id']}/edit").text


def test_two_who_write_in_one_draft_do_not_write_over_each_other_unasked(app, browser: FlaskClient, ada: Person):
    key, bob = new_key(browser), make_person(app, "bob@example.com", "Ada's account", "manager").browser()
    post(browser, "/campaigns/outlook", key=key, text="Ada's")
    page = bob.get(f"/campaigns/{newest(ada)['id']}/edit").text

    def kept_text() -> str | None:
        with app.app_context():
            return db.session.scalar(select(Campaign.content))

    theirs = {"key": key, "window": "b" * 32, "since": re.findall(r'name="since"[^>]* value="([^"]+)"', page)[0]}
    assert "Kept as a draft" in post(bob, "/campaigns/outlook", text="Bob's", **theirs).text
    assert "Kept as a draft" in post(bob, "/campaigns/outlook", text="Bob's own", **theirs).text
    answer = post(browser, "/campaigns/outlook", key=key, text="Ada's again")
    assert "Bob changed this draft meanwhile" in answer.text
    assert "Kept as a draft" not in answer.text
    for do in ("draft", "launch", "test"):
        answer = post(browser, key=key, text="Ada's again", do=do)
        assert answer.status_code == 409
        assert "Bob changed this draft meanwhile" in answer.text
        assert ">Ada&#39;s again</textarea>" in answer.text.replace("\r\n", "")
    assert newest(ada)["status"] == "draft"
    assert kept_text() == "Bob's own"
    assert post(browser, key=key, text="Ada's again", do="overwrite").status_code == 200
    assert kept_text() == "Ada's again"
    assert "Ada changed this draft meanwhile" in post(bob, "/campaigns/outlook", text="Bob's", **theirs).text


def test_what_is_wrong_in_a_draft_is_left_out_and_the_rest_is_kept(browser: FlaskClient, ada: Person):
    post(browser, "/campaigns/outlook", **ALL | {"per_week": "a lot", "send_time": "soon", "audience": "segment:9"})
    assert newest(ada)["name"] == "Half written"
    assert newest(ada)["scheduledAt"] is None


def test_nothing_is_kept_of_an_empty_form(browser: FlaskClient, ada: Person):
    post(browser, "/campaigns/outlook", name="", text="")
    for do, status in {"draft": 302, "look": 200, "wording": 200, "launch": 400}.items():
        assert post(browser, name="", text="", do=do).status_code == status
    assert ada.get("/api/campaigns")["total"] == 0
    assert "Discard the draft" not in browser.get("/campaigns/new").text


def test_however_often_the_button_is_pressed_it_goes_once(app, browser: FlaskClient, ada: Person, fan: int):
    key = new_key(browser)
    answers = []
    clients = [ada.browser() for _ in range(4)]
    presses = [threading.Thread(target=lambda c=c: answers.append(post(c, key=key, audience="all"))) for c in clients]
    for each in presses:
        each.start()
    for each in presses:
        each.join()
    assert [each.status_code for each in answers] == [302] * 4
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Message)) == 1
        assert db.session.scalar(select(func.count()).select_from(Campaign)) == 1


@pytest.mark.parametrize("seen", ["", "2", "x", "9" * 30])
def test_it_goes_to_as_many_as_were_read_or_asks_once(browser: FlaskClient, ada: Person, fan: int, seen: str):
    key = new_key(browser)
    asked = post(browser, key=key, audience="all", seen=seen)
    assert asked.status_code == 409
    assert "This goes to 1 fan. Nothing was sent yet" in asked.text
    assert "Send to 1 fan<" in asked.text
    assert newest(ada)["status"] == "draft"
    assert post(browser, key=key, audience="all", seen=seen_in(asked.text)).status_code == 302
    assert newest(ada)["status"] != "draft"


def test_a_draft_of_another_account_is_not_there(browser: FlaskClient, ada: Person, eve: Person):
    key = new_key(browser)
    post(browser, "/campaigns/outlook", key=key)
    theirs = eve.browser()
    campaign = newest(ada)["id"]
    assert theirs.get(f"/campaigns/{campaign}/edit").status_code == 404
    assert theirs.get(f"/campaigns/{campaign}/ledger.csv").status_code == 404
    for verb in ("discard", "unschedule", "cancel"):
        assert press(theirs, campaign, verb).status_code == 404
    post(theirs, "/campaigns/outlook", key=key, name="Mine")
    assert newest(ada)["name"] == "News"
    assert newest(eve)["name"] == "Mine"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": ""}, "Give it a name"),
        ({"quiet_from": "22:00"}, "Say from when and to when."),
        ({"quiet_from": "late", "quiet_to": "08:00"}, "Write times like 22:00."),
        ({"holdout_percent": "51"}, "From 0 to 50."),
        ({"at_most": "0"}, "From 1 to"),
        ({"stop_time": "2020-01-01T10:00"}, "Choose a time after it starts."),
        ({"when": "later"}, "Choose a day and a time."),
        ({"when": "later", "send_time": "2020-01-01T10:00"}, "Choose a time to come."),
        ({"when": "segment"}, "Everybody is in it already"),
        ({"when": "subscription", "delay_from": "30", "delay_to": "10"}, "Not less than it begins with."),
        ({"price": "5"}, FILELESS),
        ({"wordings-0": "x" * 5001}, "Field cannot be longer than 5000 characters."),
        ({"key": "mine"}, "Reload the page."),
        ({"media": "/media/999"}, "A file that was chosen is no longer here."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_starts(
    app, browser: FlaskClient, fan: int, fields: dict, words: str
):
    answer = post(browser, audience="all", **fields)
    assert answer.status_code == 400
    assert words in answer.text
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Message)) == 0


def test_a_price_without_a_file_is_said_in_one_wording_in_dollars_and_takes_the_focus(browser: FlaskClient, fan: int):
    page = post(browser, audience="all", price="1").text
    assert "The price must be 0 or $3.00 to $200.00.<" in page
    assert "cents)" not in page
    assert "needs a file." not in page.partition('id="outlook"')[2]
    focused = re.search(r"<[^>]*\sautofocus[^>]*>", page)
    assert focused
    assert 'id="price"' in focused[0]


def test_wordings_take_turns_by_lot_and_each_is_filled_in(app, browser: FlaskClient, ada: Person):
    fans = [add_fan(ada, number, name=f"Zoë {number}")["id"] for number in range(1, 31)]
    texts = {"text": "One for {{first_name}}", "wordings-0": "Two for {{first_name}}", "wordings-1": "Three"}
    campaign = launch(browser, ada, audience="all", **texts)
    with app.app_context():
        said = db.session.execute(select(Message.fan_id, Message.text)).all()
    assert {fan for fan, _ in said} == set(fans)
    assert {text for _, text in said} == {"One for Zoë", "Two for Zoë", "Three"}
    send_all(ada)
    page = browser.get(f"/campaigns/{campaign}").text
    assert "Wordings" in page
    assert "Two for {{first_name}}" in page


def test_so_many_and_no_more_the_most_valuable_first(browser: FlaskClient, ada: Person):
    fans = [add_fan(ada, number, valueCents=number * 100)["id"] for number in range(1, 5)]
    ada.put(f"/api/crm/fans/{fans[3]}", {"doNotMessage": True})
    campaign = launch(browser, ada, audience="all", at_most="2")
    assert ledger(ada, campaign) == {
        fans[3]: ("skipped", "do_not_message"), fans[2]: ("queued", None), fans[1]: ("queued", None),
        fans[0]: ("skipped", "beyond_limit"),
    }  # fmt: skip


def test_the_outlook_counts_holes_and_says_what_is_forbidden(app, browser: FlaskClient, ada: Person, fan: int):
    add_fan(ada, 2, name="u77")
    add_fan(ada, 3, name=None)
    with app.app_context(), write():
        db.session.scalars(select(Connection)).one().forbidden_words = "meet*\nschool"
    page = post(
        browser, "/campaigns/outlook", audience="all", text="{{first_name}}, let us MEETING up, {{name|you}}"
    ).text
    assert "{{first_name}} would stay as it is for 2 fans." in page
    assert "Forbidden on the platform: meet*." in page
    page = post(browser, "/campaigns/outlook", audience="all", text="preschooler", price="1").text
    assert "Forbidden" not in page
    assert "The price must be 0 or $3.00 to $200.00." in page


def test_another_campaign_that_is_held_up_is_named(browser: FlaskClient, ada: Person):
    connect(ada, "http://127.0.0.1:9", pace=(1, 60))
    for number in range(1, 4):
        add_fan(ada, number)
    launch(browser, ada, audience="all", name="The other", priority="3")
    page = post(browser, "/campaigns/outlook", audience="all", priority="9").text
    assert "The other then ends" in page
    assert "then ends" not in post(browser, "/campaigns/outlook", audience="all", priority="1").text


def test_a_test_goes_to_one_fan_and_counts_nowhere(app, browser: FlaskClient, ada: Person, fan: int):
    answer = post(browser, do="test", test_fan="fan1", text="Hi {{first_name}}")
    assert "On its way to Zoë Lang." in answer.text
    with app.app_context():
        message = db.session.scalars(select(Message)).one()
        assert (message.text, message.campaign_id, message.fan_id) == ("Hi Zoë", None, fan)
    assert newest(ada)["status"] == "draft"
    assert "No fan with this handle." in post(browser, do="test", test_fan="nobody").text


def test_the_ledger_as_csv_has_the_lines_of_the_page(browser: FlaskClient, ada: Person, fan: int):
    add_fan(ada, 2, name="=cmd()", doNotMessage=True)
    campaign = launch(browser, ada, audience="all")
    send_all(ada)
    lines = list(csv.DictReader(io.StringIO(browser.get(f"/campaigns/{campaign}/ledger.csv").text)))
    assert len(lines) == ada.get(f"/api/campaigns/{campaign}/recipients")["total"] == 2
    skipped = list(csv.DictReader(io.StringIO(browser.get(f"/campaigns/{campaign}/ledger.csv?status=skipped").text)))
    assert [(each["Fan"], each["Why"]) for each in skipped] == [("'=cmd()", "must not be messaged")]
    assert "1 line as CSV" in browser.get(f"/campaigns/{campaign}?status=skipped").text


def test_another_like_it_begins_as_that_one_and_is_its_own(browser: FlaskClient, ada: Person, fan: int):
    campaign = launch(browser, ada, audience="all", text="Again", per_week="4")
    page = browser.get(f"/campaigns/new?like={campaign}").text
    assert "Again" in page
    post(browser, key=key_of(page), audience="all", text="Again")
    assert newest(ada)["id"] != campaign


def test_a_draft_can_go(browser: FlaskClient, ada: Person):
    post(browser, do="draft")
    draft = newest(ada)["id"]
    row = browser.get("/campaigns").text.partition("<tbody>")[2]
    assert row.count(">–</td>") == 4, "nothing was counted yet"
    assert "$0.00" not in row
    asked = browser.get(f"/campaigns/{draft}/edit").text.partition("Discard the draft</summary>")[2]
    assert f'action="/campaigns/{draft}/discard"' in asked
    assert press(browser, draft, "discard").status_code == 302
    assert ada.get("/api/campaigns")["total"] == 0


def connected_browser(person: Person) -> FlaskClient:
    connect(person, "http://127.0.0.1:9")
    return person.browser()


def upload(browser: FlaskClient, name: str, content: bytes):
    token = browser.get("/fans").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    return browser.post("/campaigns/media", data={"csrf_token": token, "files": (io.BytesIO(content), name)})


def test_a_file_is_kept_as_it_is_chosen_and_can_be_chosen_again(browser: FlaskClient, ada: Person, eve: Person):
    kept = upload(browser, "pier.png", b"\x89PNG\r\n\x1a\n" + bytes(64)).text
    address = kept.partition('name="media" value="')[2].partition('"')[0]
    assert address.startswith("/media/")
    assert "pier.png" in browser.get("/campaigns/media").text
    page = post(browser, do="look", media=address, preview=address).text
    assert f'name="media" value="{address}"' in page
    post(browser, media=address, do="draft", price="10")
    assert newest(ada)["template"]["mediaUrls"] == [address]
    refused = post(browser, media=address, preview=address, price="10", audience="all")
    assert refused.status_code == 400
    assert refused.text.count("Nothing is left to buy") == 2, "beside the files, and in the outlook"
    assert FILELESS not in refused.text.partition('id="outlook"')[2]
    assert address not in post(browser, do="look", media=address, drop=address).text.partition("Choose from")[0]
    assert "pier.png" not in connected_browser(eve).get("/campaigns/media").text


def test_what_is_no_picture_is_refused_beside_the_field(browser: FlaskClient):
    answer = upload(browser, "page.html", b"<html>")
    assert answer.status_code == 200
    assert "Only pictures, videos and sounds can be sent." in answer.text
