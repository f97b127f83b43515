"""A person with a place in two accounts: which one a page is about, and the way to the other."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from app.accounts.models import Membership
from app.accounts.roles import Role
from app.database import execute, utcnow, write
from tests.people import Person, add_fan, submit

SWITCHER = "Switch account"


@pytest.fixture
def ada_at_eves(app, ada: Person, eve: Person) -> FlaskClient:
    """Ada's browser, who may look into Eve's account too."""
    add_fan(ada, 1, name="A fan of Ada's")
    add_fan(eve, 2, name="A fan of Eve's")
    with app.app_context(), write() as session:
        session.add(Membership(account_id=eve.account_id, user_id=ada.user_id, role=Role.VIEWER))
    return ada.browser()


def test_one_switches_and_stays_there(ada: Person, eve: Person, ada_at_eves: FlaskClient):
    first = ada_at_eves.get("/fans").text
    assert "A fan of Ada&#39;s" in first
    assert SWITCHER in first
    assert submit(ada_at_eves, "/account", "/fans", account_id=str(eve.account_id)).status_code == 302
    for _ in range(2):
        second = ada_at_eves.get("/fans").text
        assert "A fan of Eve&#39;s" in second
        assert "A fan of Ada&#39;s" not in second
    assert submit(ada_at_eves, "/fans/new", "/fans", name="By a viewer").status_code == 403
    assert submit(ada_at_eves, "/account", "/fans", account_id=str(ada.account_id)).status_code == 302
    assert "A fan of Ada&#39;s" in ada_at_eves.get("/fans").text


def test_who_is_let_go_is_back_in_their_own(app, ada: Person, eve: Person, ada_at_eves: FlaskClient):
    submit(ada_at_eves, "/account", "/fans", account_id=str(eve.account_id))
    with app.app_context(), write():
        at_eves = (Membership.account_id == eve.account_id) & (Membership.user_id == ada.user_id)
        execute(update(Membership).where(at_eves).values(deactivated_at=utcnow()))
    page = ada_at_eves.get("/fans").text
    assert "A fan of Ada&#39;s" in page
    assert SWITCHER not in page
    assert submit(ada_at_eves, "/account", "/fans", account_id=str(eve.account_id)).status_code == 404


@pytest.mark.usefixtures("ada_at_eves")
def test_who_is_in_one_is_offered_no_other(eve: Person):
    page = eve.browser().get("/fans").text
    assert "A fan of Eve&#39;s" in page
    assert SWITCHER not in page
