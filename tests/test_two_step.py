"""Two-step sign-in: a code from the phone after the password, by page and by API, each good once."""

import re
import threading

import pyotp
import pytest
import time_machine
from flask.testing import FlaskClient

from app.accounts import actions, two_step
from app.accounts.models import User
from app.database import db, utcnow
from tests.people import PASSWORD, Person, make_person, submit
from tests.test_audit import acts

HERE = "/settings/me/two-step"
TOKEN = "/api/auth/token"


class Phone:
    def __init__(self, secret: str) -> None:
        self.totp = pyotp.TOTP(secret)

    def code(self, steps_on: int = 0) -> str:
        return self.totp.at(int(utcnow().timestamp()), counter_offset=steps_on)


def set_up(browser: FlaskClient) -> tuple[Phone, list[str]]:
    """Turns it on by the page. Uses up the code of this very step."""
    page = browser.get(HERE).text
    phone = Phone(re.search(r"<code>([A-Z2-7 ]+)</code>", page)[1].replace(" ", ""))
    key = re.search(r'name="key"[^>]*value="([^"]+)"', page)[1]
    shown = submit(browser, HERE, HERE, key=key, password=PASSWORD, code=phone.code())
    assert shown.status_code == 200, shown.text
    return phone, re.findall(r"<li>(\d{5} \d{5})</li>", shown.text)


def half_way(app, person: Person) -> FlaskClient:
    """A browser that has said the password."""
    client = app.test_client()
    answer = submit(client, "/login?next=/campaigns", email=person.email, password=PASSWORD, next="/campaigns")
    assert answer.headers["Location"] == "/login/code"
    return client


def say(client: FlaskClient, code: str):
    return submit(client, "/login/code", code=code)


def is_in(client: FlaskClient) -> bool:
    return client.get("/fans").status_code == 200


def test_the_password_alone_lets_nobody_in(app, ada: Person):
    phone, codes = set_up(ada.browser())
    assert len(set(codes)) == 10
    client = half_way(app, ada)
    assert not is_in(client)
    assert say(client, "").status_code == 400
    wrong = say(client, "000000" if phone.code(1) != "000000" else "111111")
    assert wrong.status_code == 401
    assert "This code is wrong" in wrong.text
    wrong.close()  # it is written down once the answer has left
    assert not is_in(client)
    assert "code_failed" in acts(ada)
    answer = say(client, f"{phone.code(1)[:3]} {phone.code(1)[3:]}")
    assert answer.headers["Location"] == "/campaigns", "where the person was going"
    assert is_in(client)


def test_a_code_is_good_once_and_only_around_now(app, ada: Person):
    with time_machine.travel(utcnow(), tick=False) as now:
        phone, _ = set_up(ada.browser())
        assert say(half_way(app, ada), phone.code()).status_code == 401, "it turned the second step on"
        assert say(half_way(app, ada), phone.code(2)).status_code == 401, "too early"
        now.shift(300)
        late = phone.code(-2)
        assert say(half_way(app, ada), late).status_code == 401
        code = phone.code(-1)
        assert say(half_way(app, ada), code).status_code == 302
        assert say(half_way(app, ada), code).status_code == 401
        assert say(half_way(app, ada), phone.code()).status_code == 302


def test_of_two_who_say_the_same_code_at_once_one_comes_in(app, ada: Person):
    phone, codes = set_up(ada.browser())
    for code in (phone.code(1), codes[0]):
        clients = [half_way(app, ada) for _ in range(4)]
        tokens = [client.get("/login/code").text.partition('name="csrf_token" value="')[2] for client in clients]
        answers: list[int] = []

        def press(client: FlaskClient, token: str, code: str = code, answers: list[int] = answers) -> None:
            said = {"csrf_token": token.partition('"')[0], "code": code}
            answers.append(client.post("/login/code", data=said).status_code)

        threads = [threading.Thread(target=press, args=pair) for pair in zip(clients, tokens, strict=True)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert sorted(answers) == [302, 401, 401, 401]


def test_a_recovery_code_is_good_once_and_new_ones_end_the_old(app, ada: Person):
    browser = ada.browser()
    phone, codes = set_up(browser)
    client = half_way(app, ada)
    assert say(client, codes[0].replace(" ", "-")).status_code == 302
    assert is_in(client)
    assert say(half_way(app, ada), codes[0]).status_code == 401
    assert "Recovery codes left: 9." in browser.get(HERE).text
    renewed = submit(browser, HERE, HERE, password=PASSWORD, code=phone.code(1), do="renew")
    new = re.findall(r"<li>(\d{5} \d{5})</li>", renewed.text)
    assert len(new) == 10
    assert say(half_way(app, ada), codes[1]).status_code == 401
    assert say(half_way(app, ada), new[0]).status_code == 302
    with app.app_context():
        rows = db.session.execute(db.text("SELECT digest FROM recovery_codes")).scalars()
        assert not {each.replace(" ", "") for each in new} & set(rows)


def test_who_has_few_recovery_codes_left_is_told(app, ada: Person):
    _, codes = set_up(ada.browser())
    with app.app_context():
        for code in codes[:6]:
            two_step.check(db.session.get(User, ada.user_id), code)
    client = half_way(app, ada)
    say(client, codes[6])
    assert "Recovery codes left: 3." in client.get("/campaigns").text


def test_turning_it_off_takes_password_and_code(app, ada: Person):
    browser = ada.browser()
    phone, _ = set_up(browser)
    assert "This is not your password." in submit(browser, HERE, HERE, password="guess", code=phone.code(1)).text
    assert "This code is wrong" in submit(browser, HERE, HERE, password=PASSWORD, code="12").text
    assert submit(browser, HERE, HERE, password=PASSWORD, code=phone.code(1), do="off").status_code == 302
    assert is_in(ada.browser()), "by the password alone"
    assert [act for act in acts(ada) if act.startswith("two_step")] == ["two_step_on", "two_step_off"]


def test_only_a_secret_drawn_here_for_this_person_is_taken(app, ada: Person, eve: Person):
    browser, eves = ada.browser(), eve.browser()
    key = re.search(r'name="key"[^>]*value="([^"]+)"', eves.get(HERE).text)[1]
    for given in ("", "JBSWY3DPEHPK3PXP", key):
        refused = submit(browser, HERE, HERE, key=given, password=PASSWORD, code="123456")
        assert refused.status_code == 400
        assert "stood open for too long" in refused.text
    page = browser.get(HERE).text
    key = re.search(r'name="key"[^>]*value="([^"]+)"', page)[1]
    wrong = submit(browser, HERE, HERE, key=key, password=PASSWORD, code="12")
    assert "not the code that the app shows" in wrong.text
    shown = re.search(r"<code>([A-Z2-7 ]+)</code>", page)[1]
    assert shown in wrong.text, "what was scanned stays good"


def test_a_second_tab_cannot_replace_the_secret(app, ada: Person):
    browser = ada.browser()
    page = browser.get(HERE).text
    key = re.search(r'name="key"[^>]*value="([^"]+)"', page)[1]
    other = Phone(re.search(r"<code>([A-Z2-7 ]+)</code>", page)[1].replace(" ", ""))
    phone, _ = set_up(browser)
    refused = submit(browser, HERE, HERE, key=key, password=PASSWORD, code=other.code())
    assert refused.status_code == 400
    assert say(half_way(app, ada), phone.code(1)).status_code == 302


def test_who_is_half_way_has_ten_minutes_and_must_know_todays_password(app, ada: Person):
    set_up(ada.browser())
    late, overtaken = half_way(app, ada), half_way(app, ada)
    with time_machine.travel(utcnow(), tick=False) as now:
        now.shift(11 * 60)
        assert late.get("/login/code").headers["Location"] == "/login"
    with app.app_context():
        actions.change_password(db.session.get(User, ada.user_id), "quite another password")
    assert overtaken.get("/login/code").headers["Location"] == "/login"
    assert app.test_client().get("/login/code").headers["Location"] == "/login"


def test_codes_cannot_be_tried_for_long_by_page_and_api_together(app, ada: Person, monkeypatch):
    phone, _ = set_up(ada.browser())
    monkeypatch.setitem(app.config, "LIMIT_CODES", "3/hour")
    assert say(half_way(app, ada), "12").status_code == 401
    for _ in range(2):
        assert token(app, ada, code="12").status_code == 401
    assert say(half_way(app, ada), phone.code(1)).status_code == 429, "in another browser too"
    assert token(app, ada, code=phone.code(1)).status_code == 429


def token(app, person: Person, **more: str):
    return app.test_client().post(TOKEN, json={"email": person.email, "password": PASSWORD, **more})


def test_programs_send_the_code_along(app, ada: Person):
    phone, codes = set_up(ada.browser())
    asked = token(app, ada)
    assert asked.status_code == 401
    assert "send it as `code`" in asked.json["detail"]
    assert token(app, ada, code="12").status_code == 401
    assert token(app, ada, code=phone.code(1)).status_code == 200
    assert token(app, ada, code=codes[0]).status_code == 200


def test_a_new_password_by_link_does_not_go_round_it(app, ada: Person):
    bob = make_person(app, "bob@example.com", "Ada's account", role="chatter")
    phone, _ = set_up(bob.browser())
    browser = ada.browser()
    page = submit(browser, f"/settings/people/{bob.user_id}/reset-link", "/settings/people").text
    link = re.search(r"http://[^\"]+(/passwords/[^\"]+)", page)[1]
    client = app.test_client()
    assert submit(client, link, password=PASSWORD).status_code == 302
    assert say(half_way(app, bob), phone.code(1)).status_code == 302


def test_the_person_at_the_machine_turns_it_off(app, ada: Person):
    set_up(ada.browser())
    said = app.test_cli_runner().invoke(args=["user", "two-step-off", ada.email])
    assert said.exit_code == 0, said.output
    assert is_in(ada.browser())
    assert app.test_cli_runner().invoke(args=["user", "two-step-off", "nobody@example.com"]).exit_code == 1


def test_an_owner_turns_it_off_for_who_has_lost_the_phone_and_for_nobody_elses_people(app, ada: Person, eve: Person):
    bob = make_person(app, "bob@example.com", "Ada's account", role="chatter")
    set_up(bob.browser())
    browser = ada.browser()
    page = browser.get("/settings/people").text
    assert page.count("· two-step sign-in") == 1
    assert page.count("Turn off two-step sign-in") == 1
    of_bob, of_ada = (f"/settings/people/{each.user_id}/two-step-off" for each in (bob, ada))
    assert submit(eve.browser(), of_bob, "/settings/people").status_code == 404
    submit(browser, of_bob, "/settings/people")
    assert is_in(bob.browser())
    set_up(browser)
    submit(browser, of_ada, "/settings/people")
    with app.app_context():
        assert two_step.is_on(db.session.get_one(User, ada.user_id)), "not past one's own code"


def test_the_secret_is_unreadable_in_the_database(app, ada: Person):
    phone, _ = set_up(ada.browser())
    with app.app_context():
        kept = db.session.execute(db.text("SELECT totp_secret FROM users WHERE id = :id"), {"id": ada.user_id}).scalar()
    assert phone.totp.secret not in kept


@pytest.mark.parametrize("code", ["१२३४५६", "\u00b2" * 6, "-" * 30, "12345678901234567890"])
def test_what_is_no_code_is_wrong(app, ada: Person, code: str):
    set_up(ada.browser())
    assert say(half_way(app, ada), code).status_code == 401
