import io

import pytest

from app.accounts.models import IdempotencyKey
from app.database import utcnow, write
from tests.people import Person

KEY = {"Idempotency-Key": "a key"}


def test_the_same_post_again_answers_as_the_first_time_and_does_nothing(ada: Person):
    first = ada.call("POST", "/api/crm/fans", json={"name": "Zoe"}, headers=KEY)
    again = ada.call("POST", "/api/crm/fans", json={"name": "Zoe"}, headers=KEY)
    assert (again.status_code, again.json, again.headers["Location"]) == (201, first.json, first.headers["Location"])
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert ada.get("/api/crm/fans")["total"] == 1


def test_another_body_under_the_same_key_is_refused(ada: Person):
    ada.call("POST", "/api/crm/fans", json={"name": "Zoe"}, headers=KEY)
    assert ada.call("POST", "/api/crm/fans", json={"name": "Zed"}, headers=KEY).status_code == 422
    # Looked at before validation: what is not even valid is still another body.
    assert ada.call("POST", "/api/crm/fans", json={"name": 5}, headers=KEY).status_code == 422


def test_a_refused_call_frees_its_key(ada: Person):
    assert ada.call("POST", "/api/crm/fans", json={"name": 5}, headers=KEY).status_code == 400
    assert ada.call("POST", "/api/crm/fans", json={"name": "Zoe"}, headers=KEY).status_code == 201


def test_what_was_done_before_its_answer_broke_is_not_done_again(app, ada: Person, monkeypatch):
    formed, breaks = app.json.response, [True]

    def form(*values, **options):
        if breaks:
            breaks.clear()
            raise RuntimeError("between the commit and the answer")
        return formed(*values, **options)

    monkeypatch.setattr(app.json, "response", form)
    first, again = (ada.call("POST", "/api/crm/fans", json={"name": "Zoe"}, headers=KEY) for _ in range(2))
    assert (first.status_code, again.status_code) == (500, 409)
    assert "what it did is not known yet" in again.json["detail"]
    assert ada.get("/api/crm/fans")["total"] == 1


def test_a_key_belongs_to_its_person_and_path(ada: Person, eve: Person):
    ada.call("POST", "/api/crm/fans", json={"name": "Zoe"}, headers=KEY)
    assert eve.call("POST", "/api/crm/fans", json={"name": "Zed"}, headers=KEY).status_code == 201
    assert ada.call("POST", "/api/crm/conversations", json={"fanId": 0}, headers=KEY).status_code == 400


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there", "accént"])
def test_a_key_that_is_not_printable_ascii_is_refused(ada: Person, key):
    answer = ada.call("POST", "/api/crm/fans", json={"name": "Zoe"}, headers={"Idempotency-Key": key})
    assert answer.status_code == 400
    assert ada.get("/api/crm/fans")["total"] == 0


def test_while_the_first_call_runs_the_second_is_asked_to_wait(app, ada: Person):
    first = ada.call("POST", "/api/crm/fans", json={"name": "Zoe"}, headers=KEY)
    assert first.status_code == 201
    with app.app_context(), write() as session:
        session.query(IdempotencyKey).one().status = None
    again = ada.call("POST", "/api/crm/fans", json={"name": "Zoe"}, headers=KEY)
    assert again.status_code == 409
    assert again.headers["Retry-After"]


def test_a_file_is_known_by_its_bytes(ada: Person):
    def upload(content: bytes):
        return ada.call("POST", "/api/media", data={"file": (io.BytesIO(content), "a.png")}, headers=KEY)

    picture = b"\x89PNG\r\n\x1a\n" + bytes(64)
    first, again, other = upload(picture), upload(picture), upload(picture + b"x")
    assert first.status_code == again.status_code == 201
    assert first.json == again.json
    assert other.status_code == 422


def test_keys_are_kept_for_a_day_at_least(app, ada: Person):
    from datetime import timedelta

    import time_machine

    ada.call("POST", "/api/crm/fans", json={"name": "Zoe"}, headers=KEY)
    # The token would be dead by then: what matters is that another call does not sweep the key away.
    with app.app_context(), write() as session:
        session.query(IdempotencyKey).one().created_at = utcnow() - timedelta(hours=24)
    with time_machine.travel(utcnow() + timedelta(minutes=1), tick=True):
        ada.call("POST", "/api/crm/fans", json={"name": "Zed"}, headers={"Idempotency-Key": "other"})
        assert ada.call("POST", "/api/crm/fans", json={"name": "Zoe"}, headers=KEY).headers["Idempotent-Replayed"]
