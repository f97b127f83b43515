import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest


def test_one_more_than_the_limit_is_a_violation(sandbox):
    sandbox.faults(limit=3, windowSeconds=60)
    answers = [sandbox.write() for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 55 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert (sandbox.stats()["violations"], sandbox.stats()["accepted"], sandbox.stats()["limited"]) == (1, 3, 1)


def test_the_window_rolls_and_a_violation_does_not_count_in_it(sandbox):
    sandbox.faults(limit=2, windowSeconds=0.4)
    assert [sandbox.write().status_code for _ in range(4)] == [200, 200, 429, 429]
    time.sleep(0.4)
    assert [sandbox.write().status_code for _ in range(3)] == [200, 200, 429]


def test_fifty_at_once_get_exactly_the_limit_through(sandbox):
    sandbox.faults(limit=20, windowSeconds=60)
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: sandbox.write().status_code, range(50)))
    assert Counter(answers) == {200: 20, 429: 30}
    assert sandbox.stats()["violations"] == 30
    assert len(sandbox.texts()) == 20


def test_a_replay_is_free_but_an_error_counts(sandbox):
    sandbox.faults(limit=2, windowSeconds=60)
    sandbox.write(key="k")
    assert [sandbox.write(key="k").status_code for _ in range(3)] == [200, 200, 200]
    sandbox.faults(limit=2, windowSeconds=60, error500=1)
    assert [sandbox.write().status_code for _ in range(2)] == [500, 429]
    assert sandbox.outcomes() == ["accepted", "replayed", "replayed", "replayed", "error", "limited"]


def test_each_account_has_its_own_limit(sandbox, process):
    sandbox.faults(limit=1, windowSeconds=60)
    path = f"/api/{sandbox.account}_other/chats/7/messages"
    assert [sandbox.write().status_code, sandbox.post(path, json={"text": "x"}).status_code] == [200, 200]


@pytest.mark.parametrize(
    ("fault", "status", "outcome"),
    [("error429", 429, "limited"), ("error500", 500, "error"), ("error503", 503, "error")],
)
def test_passing_trouble_sends_nothing_and_leaves_the_key_free(sandbox, fault, status, outcome):
    sandbox.faults(**{fault: 1})
    answer = sandbox.write(text="once", key=fault)
    assert (answer.status_code, "Retry-After" in answer.headers) == (status, status == 429)
    sandbox.faults()
    assert sandbox.write(text="once", key=fault).status_code == 200
    assert sandbox.outcomes()[-2:] == [outcome, "accepted"]
    assert sandbox.stats()["violations"] == 0


def test_a_refusal_is_final(sandbox):
    sandbox.faults(refuse=1)
    assert sandbox.write(key="k").status_code == 400
    sandbox.faults()
    again = sandbox.write(key="k")
    assert again.json()["onlyfans_response"]["body"]["error"]["message"] == "Cannot send message to this user"
    assert sandbox.outcomes() == ["refused", "replayed"]
    assert sandbox.texts() == []


def test_a_call_dropped_before_sends_nothing(sandbox):
    sandbox.faults(dropBefore=1)
    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.write(text="lost", key="k")
    sandbox.faults()
    assert sandbox.texts() == []
    assert sandbox.write(text="lost", key="k").status_code == 200
    assert sandbox.outcomes() == ["dropped_before", "accepted"]


def test_a_call_dropped_after_was_accepted_and_the_key_tells(sandbox):
    sandbox.faults(dropAfterAccept=1)
    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.write(text="arrived", key="k")
    assert sandbox.texts() == ["<p>arrived</p>"]
    assert sandbox.write(text="arrived", key="k").headers["Idempotent-Replayed"] == "true"
    assert sandbox.texts() == ["<p>arrived</p>"]
    assert sandbox.outcomes() == ["dropped_after", "replayed"]
    assert sandbox.sends()[0]["answeredAt"] is None


def test_a_seed_repeats_the_same_trouble(sandbox):
    def draw() -> list[int]:
        sandbox.faults(error500=0.3, error503=0.3, seed=42)
        return [sandbox.write().status_code for _ in range(20)]

    first = draw()
    assert draw() == first
    assert set(first) == {200, 500, 503}


def test_what_is_left_out_is_off(sandbox):
    sandbox.faults(limit=1, error500=1, delaySeconds=5)
    sandbox.faults()
    assert sandbox.write().status_code == 200
    shown = sandbox.get("/sandbox/faults").json()
    assert (shown["limit"], shown["error500"], shown["delaySeconds"]) == (None, 0, 0)


@pytest.mark.parametrize(
    "body",
    [
        b"no json",
        b"[]",
        b'{"limits": 1}',
        b'{"limit": 0}',
        b'{"limit": true}',
        b'{"error500": 1.1}',
        b'{"refuse": "1"}',
        b'{"windowSeconds": 0}',
        b'{"delaySeconds": -1}',
        b'{"seed": 0.5}',
    ],
)
def test_wrong_faults_change_nothing(sandbox, body):
    sandbox.faults(error503=1)
    answer = sandbox.put("/sandbox/faults", content=body)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert sandbox.get("/sandbox/faults").json()["error503"] == 1


def test_forgetting_the_sends_keeps_chats_and_keys(sandbox):
    sandbox.write(text="once", key="k")
    assert sandbox.delete("/sandbox/sends").json()["total"] == 0
    assert sandbox.get("/sandbox/stats").json()["total"] == 0
    assert sandbox.write(text="once", key="k").headers["Idempotent-Replayed"] == "true"
    assert sandbox.texts() == ["<p>once</p>"]
