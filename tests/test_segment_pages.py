"""Building a rule on a page: by plain forms, each step an answer of its own."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from app.segments import queries
from app.segments.forms import entered, form_of
from app.segments.ready_made import READY_MADE
from app.segments.rules import as_json, parse
from app.segments.words import in_words
from tests.people import Person, add_fan


@pytest.fixture
def browser(ada: Person) -> FlaskClient:
    add_fan(ada, 1, name="Zoë", tags=["VIP"], valueCents=1_000)
    add_fan(ada, 2, name="Bob")
    return ada.browser()


def post(browser: FlaskClient, path: str, *, script: bool = False, **fields: str):
    token = browser.get("/segments/new").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    headers = {"HX-Request": "true"} if script else {}
    return browser.post(path, data={"csrf_token": token, **named}, headers=headers)


VIP = {"name": "Best", "group_0": "all", "line_0_0_field": "tag", "line_0_0_op": "is", "line_0_0_value": "vip"}


def test_a_new_segment_step_by_step_without_javascript(ada: Person, browser: FlaskClient):
    assert "2 fans" in browser.get("/segments/new").text
    begun = post(browser, "/segments/new", do="group").text
    assert 'name="line-0-0-field"' in begun
    assert "Say what is missing" in begun
    looked = post(browser, "/segments/new", **VIP).text
    assert "1 fan<" in looked
    assert "Zoë" in looked
    assert "Tagged vip" in looked
    more = post(browser, "/segments/new", **VIP, do="line:0").text
    assert 'name="line-0-1-field"' in more
    fewer = post(browser, "/segments/new", **VIP, do="drop:0:0").text
    assert 'name="line-0-0-field"' not in fewer
    assert post(browser, "/segments/new", **VIP, do="save").status_code == 302
    page = browser.get("/segments").text
    assert "Best was saved." in page
    assert ada.get("/api/segments")["segments"][0]["rule"] == {
        "match": "all",
        "rules": [{"match": "all", "rules": [{"field": "tag", "op": "is", "value": "vip"}]}],
    }


def test_what_is_wrong_stands_beside_the_line_and_nothing_is_saved(ada: Person, browser: FlaskClient):
    wrong = VIP | {"line_0_1_field": "spend", "line_0_1_op": "atLeast", "line_0_1_value": "much"}
    answer = post(browser, "/segments/new", **wrong, do="save")
    assert answer.status_code == 422
    assert "Enter an amount in dollars, 0 or more." in answer.text
    assert 'value="much"' in answer.text
    unsaid = post(browser, "/segments/new", **VIP | {"line_0_0_value": ""}, do="save")
    assert "Which tag?" in unsaid.text
    assert "Which tag?" not in post(browser, "/segments/new", **VIP | {"line_0_0_value": ""}).text
    nameless = post(browser, "/segments/new", **VIP | {"name": " "}, do="save")
    assert "A name has 1 to 100 characters." in nameless.text
    assert ada.get("/api/segments")["segments"] == []


@pytest.mark.parametrize(
    "what", ["line:9", "line:x", "line", "drop:0:7", "drop:5:0", "drop:0", "nonsense", "group:1:2"]
)
def test_a_button_that_is_not_there_changes_nothing(browser: FlaskClient, what: str):
    answer = post(browser, "/segments/new", **VIP, do=what)
    assert answer.status_code == 200
    assert 'value="vip"' in answer.text


def test_two_people_change_one_segment_and_the_second_is_told(ada: Person, browser: FlaskClient):
    post(browser, "/segments/new", **VIP, do="save")
    path = f"/segments/{ada.get('/api/segments')['segments'][0]['id']}"
    assert 'name="version" value="1"' in browser.get(path).text
    assert post(browser, path, **VIP | {"name": "First"}, version="1", do="save").status_code == 302
    late = post(browser, path, **VIP | {"name": "Second"}, version="1", do="save")
    assert late.status_code == 422
    assert "Somebody changed this segment" in late.text
    assert ada.get("/api/segments")["segments"][0]["name"] == "First"


def test_with_htmx_the_builder_comes_alone_and_a_saved_one_leads_to_the_list(browser: FlaskClient):
    looked = post(browser, "/segments/new", script=True, **VIP)
    assert looked.text.lstrip().startswith("<div") or "<html" not in looked.text
    assert post(browser, "/segments/new", script=True, **VIP, do="save").headers["HX-Redirect"] == "/segments"


def test_a_name_that_is_taken_is_refused(browser: FlaskClient):
    post(browser, "/segments/new", **VIP, do="save")
    again = post(browser, "/segments/new", **VIP | {"name": "BEST"}, do="save")
    assert "Another segment has this name already." in again.text


def test_a_segment_goes_and_anothers_is_not_there(ada: Person, eve: Person, browser: FlaskClient):
    post(browser, "/segments/new", **VIP, do="save")
    path = f"/segments/{ada.get('/api/segments')['segments'][0]['id']}"
    theirs = eve.browser()
    assert theirs.get(path).status_code == 404
    assert post(theirs, f"{path}/delete").status_code == 404
    assert theirs.get(f"/segments/count?id={path.rpartition('/')[2]}").status_code == 404
    assert browser.get(f"/segments/count?id={path.rpartition('/')[2]}").text == "1 fan"
    post(browser, f"{path}/delete")
    assert browser.get(path).status_code == 404


def test_a_rule_that_a_program_made_deeper_than_the_page_goes_is_shown(ada: Person, browser: FlaskClient):
    inner = {"match": "any", "rules": [{"field": "tag", "op": "is", "value": "VIP"}]}
    deep = {"match": "all", "rules": [{"match": "any", "rules": [inner, inner]}]}
    made = ada.post("/api/segments", {"name": "Deep", "rule": deep})
    page = browser.get(f"/segments/{made['id']}").text
    assert "made by a program" in page
    assert "1 fan<" in page
    assert "Save the segment" not in page


def test_every_ready_made_one_opens_and_is_counted(browser: FlaskClient):
    listed = browser.get("/segments").text
    for key, each in READY_MADE.items():
        assert each.name.split(":")[0] in listed
        assert each.name.split(":")[0] in browser.get(f"/segments/new?ready={key}").text
        assert browser.get(f"/segments/count?ready={key}").text.endswith(("fan", "fans"))


def in_fields(rule: Any) -> dict[str, str]:
    form = form_of("n", parse(rule))
    assert form
    fields = {}
    for g, block in enumerate(form.blocks):
        fields[f"group-{g}"] = block.match
        for n, line in enumerate(block.lines):
            fields |= {f"line-{g}-{n}-{part}": text for part, text in line.said.items()}
    return fields


@pytest.mark.parametrize(
    "said",
    [
        {"field": "lastSeen", "op": "since", "value": "2026-10-01"},
        {"field": "custom", "op": "atMost", "name": "Age", "value": 41.5},
        {"field": "file", "op": "is", "value": 4},
    ],
)
def test_what_a_page_shows_of_a_condition_is_read_back_as_it_was(said: dict[str, Any]):
    rule = parse({"rules": [said]})
    assert entered(in_fields(as_json(rule))).rule().rules == (rule,)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ({"field": "lastSeen", "op": "since", "value": "soon"}, "Choose a day."),
        ({"field": "lastSeen", "op": "since", "value": "2026-10-01"}, 'type="date"'),
        ({"field": "custom", "op": "atLeast", "name": "Age", "value": "old"}, "Must be a number."),
        ({"field": "custom", "op": "atLeast", "name": "Age", "value": "18"}, "Age is a number of at least 18"),
        ({"field": "file", "op": "is", "value": "x"}, "Choose a file."),
    ],
)
def test_days_numbers_and_files_have_fields_of_their_kind(browser: FlaskClient, line: dict[str, str], shown: str):
    fields = {f"line_0_0_{part}": text for part, text in line.items()}
    assert shown in post(browser, "/segments/new", group_0="all", name="N", **fields).text


@pytest.mark.parametrize("key", READY_MADE)
def test_what_a_page_shows_of_a_rule_is_read_back_as_that_rule(app, ada: Person, key: str):
    rule = READY_MADE[key].rule
    if form_of("n", rule) is None:
        pytest.fail("a ready-made one is there to be changed on the page")
    again = entered(in_fields(as_json(rule))).rule()
    add_fan(ada, 1, valueCents=7_000)
    with app.app_context():
        assert queries.count_fans(ada.account_id, again) == queries.count_fans(ada.account_id, rule)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"rules": []}, "everybody"),
        ({"rules": [{"field": "tag", "op": "isNot", "value": "VIP"}]}, "not tagged VIP"),
        (
            {"rules": [{"field": "spend", "op": "atLeast", "value": 50_000, "kind": "tip", "days": 30}]},
            "spent at least $500.00 in tips in the last 30 days",
        ),
        ({"rules": [{"field": "lastSeen", "op": "beforeLast", "value": 1}]}, "was seen longer ago than 1 day"),
        ({"rules": [{"field": "waiting", "op": "is", "value": False}]}, "does not wait for an answer"),
        ({"rules": [{"field": "campaign", "op": "notGot", "value": 3}]}, "did not get Spring"),
        ({"rules": [{"field": "file", "op": "is", "value": 7}]}, "came with june.csv"),
        ({"rules": [{"field": "file", "op": "isNot", "value": 8}]}, "did not come with file 8"),
        (
            {"rules": [{"field": "added", "op": "since", "value": "2026-10-01"}]},
            "was added here on or after 1 Oct 2026",
        ),
        ({"rules": [{"field": "fanWrote", "op": "before", "value": "2025-12-24"}]}, "wrote before 24 Dec 2025"),
        (
            {"rules": [{"field": "custom", "name": "Age", "op": "atLeast", "value": 18}]},
            "Age is a number of at least 18",
        ),
        (
            {
                "match": "all",
                "rules": [
                    {"field": "email", "op": "isSet"},
                    {"match": "none", "rules": [{"field": "tag", "op": "is", "value": "a"}] * 2},
                ],
            },
            "e-mail is known and none of (tagged a; tagged a)",
        ),
    ],
)
def test_a_rule_in_words(rule: dict, words: str):
    assert in_words(parse(rule), {"campaign": {3: "Spring"}, "file": {7: "june.csv"}}) == words


def test_a_rule_of_too_many_conditions_is_refused_in_words(ada: Person, browser: FlaskClient):
    parts = {"field": "tag", "op": "is", "value": "vip"}
    lines = {f"line_{n // 20}_{n % 20}_{part}": said for n in range(101) for part, said in parts.items()}
    refused = post(browser, "/segments/new", name="Long", do="save", **lines)
    assert refused.status_code == 422
    assert "A rule has at most 100 conditions." in refused.text
    assert ada.get("/api/segments")["segments"] == []
