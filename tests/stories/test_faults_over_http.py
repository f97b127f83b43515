"""Each kind of fault, over real HTTP to the stand-in platform: every fan gets the message once."""

import time

import pytest

from app.conversations import outcomes
from tests.people import Person, add_fan, connect
from tests.sending import drain, statuses
from tests.servers import Sandbox, wait_until


@pytest.mark.parametrize("fault", ["error429", "error503", "dropBefore", "error500", "dropAfterAccept"])
def test_whatever_happens_on_the_way_each_fan_gets_it_once(app, ada: Person, sandbox: Sandbox, monkeypatch, fault):
    monkeypatch.setitem(app.config, "SEND_BACKOFF_SECONDS", (0.05, 0.2))
    monkeypatch.setattr(outcomes, "LIMITED_SECONDS", (0.2, 0.2, 0.2))
    account = f"acct_{fault}_{app.name}_{time.time_ns()}"
    connect(ada, sandbox.url, account=account)
    for number in range(1, 11):
        body = {"recipientId": add_fan(ada, number)["id"], "content": f"to {number}"}
        ada.post("/api/onlyfans/messages/send", body, 202)
    sandbox.faults(**{fault: 0.4, "seed": 3})
    wait_until(lambda: drain(app) or set(statuses(app)) == {"sent"}, seconds=20)
    accepted = [each["text"] for each in sandbox.sends(account) if each["outcome"] in ("accepted", "dropped_after")]
    assert sorted(accepted) == sorted(f"to {number}" for number in range(1, 11))
    assert any(each["outcome"] != "accepted" for each in sandbox.sends(account)), "the fault did strike"
