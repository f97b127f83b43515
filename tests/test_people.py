"""Inviting, joining, roles, deactivation, and a new password by an owner's link."""

import re
import threading
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from app.accounts import people
from app.accounts.entry_models import Invitation, PasswordReset
from app.accounts.models import Membership
from app.accounts.people import INVITATION_LASTS, RESET_LASTS
from app.database import db, utcnow
from app.errors import Conflict, Forbidden
from tests.people import Person, csrf_of, make_person, submit

PEOPLE = "/settings/people"
NEW = "a new long password"


def link_in(page: str) -> str:
    """The path of the link that is shown once."""
    return re.search(r'id="link" value="http://localhost([^"]+)"', page)[1]  # type: ignore[index]


def invite(owner: Person, email: str, role: str = "chatter") -> str:
    answer = submit(owner.browser(), PEOPLE, email=email, role=role)
    assert answer.status_code == 201, answer.text
    return link_in(answer.text)


def roles_in(owner: Person) -> dict[str, str]:
    with owner.app.app_context():
        return {
            user.email: "out" if membership.deactivated_at else membership.role
            for user, membership in people.members_of(owner.account_id)
        }


def test_somebody_new_joins_by_a_link_and_is_in(app, ada: Person):
    link = invite(ada, "Zoe@Example.com")
    client = app.test_client()
    assert "As chatter, who answers fans" in client.get(link).text
    joined = submit(client, link, name="Zoe Hall", password=NEW)
    assert joined.status_code == 302
    assert client.get("/").headers["Location"] == "/messages/onlyfans"
    assert roles_in(ada) == {"ada@example.com": "owner", "zoe@example.com": "chatter"}


def test_somebody_known_signs_in_and_joins(app, ada: Person, eve: Person):
    link = invite(ada, eve.email, "viewer")
    page = app.test_client().get(link).text
    assert "/login?next=" in page
    assert 'name="password"' not in page, "nobody sets the password of somebody who is here"
    browser = eve.browser()
    assert submit(browser, link).status_code == 302
    assert roles_in(ada)["eve@example.com"] == "viewer"
    assert "Ada&#39;s account" in browser.get("/fans").text


def test_a_link_is_good_once_until_it_is_taken_back_and_for_seven_days(app, ada: Person):
    used = invite(ada, "zoe@example.com")
    submit(app.test_client(), used, name="Zoe", password=NEW)
    replaced = invite(ada, "yan@example.com")
    again = invite(ada, "yan@example.com")
    taken_back = invite(ada, "xia@example.com")
    with app.app_context():
        newest = db.session.scalars(select(Invitation.id).order_by(Invitation.id.desc())).first()
        assert "link" not in repr(db.session.get(Invitation, newest))
    submit(ada.browser(), f"{PEOPLE}/invitations/{newest}/revoke", PEOPLE)
    for link in (used, replaced, taken_back, again[:-1], "/invitations/nonsense"):
        gone = app.test_client().get(link)
        assert gone.status_code == 404
        assert "no longer good" in gone.text
    assert app.test_client().get(again).status_code == 200
    with time_machine.travel(utcnow() + INVITATION_LASTS + timedelta(seconds=1), tick=True):
        assert app.test_client().get(again).status_code == 404


def test_a_link_is_for_one_person(app, ada: Person, eve: Person):
    link = invite(ada, "zoe@example.com")
    browser = eve.browser()
    assert "Sign out first" in browser.get(link).text
    assert submit(browser, link, "/settings/me").status_code == 403
    assert roles_in(ada) == {"ada@example.com": "owner"}


def test_what_is_wrong_is_said_beside_the_field(app, ada: Person):
    browser = ada.browser()
    for email, said in (("nonsense", "not an e-mail address"), (ada.email, "here already")):
        refused = submit(browser, PEOPLE, email=email, role="viewer")
        assert refused.status_code == 400
        assert said in refused.text
    assert submit(browser, PEOPLE, email="z@example.com", role="emperor").status_code == 400
    link = invite(ada, "zoe@example.com")
    short = submit(app.test_client(), link, name="Zoe", password="short")
    assert short.status_code == 400
    assert "at least 10 characters" in short.text


def test_who_is_deactivated_is_out_at_once_and_comes_back_by_signing_in(app, ada: Person):
    bob = make_person(app, "bob@example.com", "Ada's account", role="manager")
    browser = bob.browser()
    submit(ada.browser(), f"{PEOPLE}/{bob.user_id}/deactivate", PEOPLE)
    assert browser.get("/fans").headers["Location"].startswith("/login")
    assert bob.call("GET", "/api/crm/fans").status_code == 401
    submit(ada.browser(), f"{PEOPLE}/{bob.user_id}/reactivate", PEOPLE)
    assert browser.get("/fans").headers["Location"].startswith("/login"), "the old session stays dead"
    assert bob.call("GET", "/api/crm/fans").status_code == 401, "and the old token"
    assert bob.browser().get("/fans").status_code == 200


def test_who_is_deactivated_here_goes_on_elsewhere(app, ada: Person, eve: Person):
    link = invite(ada, eve.email, "manager")
    browser = eve.browser()
    submit(browser, link)
    submit(ada.browser(), f"{PEOPLE}/{eve.user_id}/deactivate", PEOPLE)
    page = browser.get("/fans").text
    assert "Eve&#39;s account" in page
    assert "Ada&#39;s account" not in page


def test_the_last_owner_stays(app, ada: Person):
    browser = ada.browser()
    for path, values in ((f"{ada.user_id}/role", {"role": "viewer"}), (f"{ada.user_id}/deactivate", {})):
        submit(browser, f"{PEOPLE}/{path}", PEOPLE, **values)
        assert "An account needs an owner" in browser.get(PEOPLE).text
    assert roles_in(ada) == {"ada@example.com": "owner"}


def test_of_two_owners_who_demote_each_other_at_once_one_fails(app, ada: Person):
    bob = make_person(app, "bob@example.com", "Ada's account")
    for _ in range(5):
        start, outcomes = threading.Barrier(2), []

        def demote(user_id: int, start=start, outcomes=outcomes) -> None:
            with app.app_context():
                start.wait()
                try:
                    people.change_role(ada.account_id, user_id, "viewer")
                    outcomes.append("done")
                except Conflict:
                    outcomes.append("refused")

        threads = [threading.Thread(target=demote, args=(each.user_id,)) for each in (ada, bob)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert sorted(outcomes) == ["done", "refused"]
        demoted = next(each for each in (ada, bob) if roles_in(ada)[each.email] == "viewer")
        with app.app_context():
            people.change_role(ada.account_id, demoted.user_id, "owner")


def test_an_owner_gives_somebody_a_link_for_a_new_password(app, ada: Person):
    bob = make_person(app, "bob@example.com", "Ada's account", role="chatter")
    before = bob.browser()
    answer = submit(ada.browser(), f"{PEOPLE}/{bob.user_id}/reset-link", PEOPLE)
    link = link_in(answer.text)
    assert submit(app.test_client(), link, password="short").status_code == 400
    assert submit(app.test_client(), link, password=NEW).headers["Location"] == "/login"
    assert before.get("/fans").status_code == 302, "sessions end"
    assert bob.call("GET", "/api/crm/fans").status_code == 401, "tokens end"
    client = app.test_client()
    assert submit(client, "/login", email=bob.email, password=NEW).headers["Location"] == "/messages/onlyfans"
    assert app.test_client().get(link).status_code == 404, "once"


def test_a_link_for_a_password_dies_after_an_hour_and_with_the_next_one(app, ada: Person):
    bob = make_person(app, "bob@example.com", "Ada's account", role="chatter")
    first, second = (
        link_in(submit(ada.browser(), f"{PEOPLE}/{bob.user_id}/reset-link", PEOPLE).text) for _ in range(2)
    )
    assert app.test_client().get(first).status_code == 404
    with time_machine.travel(utcnow() + RESET_LASTS + timedelta(seconds=1), tick=True):
        assert app.test_client().get(second).status_code == 404


def test_nobody_comes_into_anothers_account_by_a_new_password(app, ada: Person, eve: Person):
    """Eve works for Ada too: her password opens Eve's account, which is not Ada's."""
    submit(eve.browser(), invite(ada, eve.email))
    browser = ada.browser()
    refused = submit(browser, f"{PEOPLE}/{eve.user_id}/reset-link", PEOPLE)
    assert refused.status_code == 302
    assert "an account that is not yours too" in browser.get(PEOPLE).text
    with app.app_context():
        assert db.session.scalars(select(PasswordReset)).all() == []


def test_nor_by_a_link_that_was_made_before_they_joined_another(app, ada: Person, eve: Person):
    bob = make_person(app, "bob@example.com", "Ada's account", role="chatter")
    link = link_in(submit(ada.browser(), f"{PEOPLE}/{bob.user_id}/reset-link", PEOPLE).text)
    submit(bob.browser(), invite(eve, bob.email))
    refused = submit(app.test_client(), link, password=NEW)
    assert refused.status_code == 403
    assert bob.browser().get("/fans").status_code == 200, "the old password stands"


def test_who_owns_both_accounts_may(app, ada: Person, eve: Person):
    bob = make_person(app, "bob@example.com", "Ada's account", role="chatter")
    submit(bob.browser(), invite(eve, bob.email))
    submit(ada.browser(), invite(eve, ada.email, "owner"))
    with app.app_context():
        assert people.make_reset_link(ada.account_id, ada.user_id, bob.user_id)
        db.session.commit()
        with pytest.raises(Forbidden):
            people.make_reset_link(eve.account_id, eve.user_id, bob.user_id)


def test_people_of_another_account_do_not_exist(app, ada: Person, eve: Person):
    browser = eve.browser()
    token = csrf_of(browser, PEOPLE)
    for verb in ("role", "deactivate", "reactivate", "reset-link", "two-step-off"):
        answer = browser.post(f"{PEOPLE}/{ada.user_id}/{verb}", data={"csrf_token": token, "role": "viewer"})
        assert answer.status_code == 404, verb
    with app.app_context():
        assert db.session.get(Membership, (ada.account_id, ada.user_id)).role == "owner"


def test_only_owners_manage_people(app, ada: Person):
    mia = make_person(app, "mia@example.com", "Ada's account", role="manager")
    browser = mia.browser()
    assert browser.get(PEOPLE).status_code == 403
    token = csrf_of(browser, "/settings/me")
    promote = browser.post(f"{PEOPLE}/{mia.user_id}/role", data={"csrf_token": token, "role": "owner"})
    assert promote.status_code == 403
    assert roles_in(ada)["mia@example.com"] == "manager"
