from pathlib import Path

import httpx
import pytest


def test_a_kill_forgets_neither_chats_nor_keys_nor_webhooks(start, tmp_path, unregistered):
    first, endpoint = start(), unregistered
    with first.connect() as sandbox:
        hook = {
            "endpoint_url": endpoint.url,
            "events": ["messages.received"],
            "account_scope": "all",
            "signing_secret": "s",
        }
        sandbox.post("/api/webhooks", json=hook).raise_for_status()
        sent = sandbox.write(100_000_001, text="once", key="k", price=5, mediaFiles=[1]).json()["data"]
        sandbox.fan("buy", 100_000_001).raise_for_status()
        sandbox.fan("tip", 100_000_001, amountCents=500).raise_for_status()
        before = sandbox.read("chats")
    first.kill()
    with (tmp_path / "deep" / "state.jsonl").open("a") as file:
        file.write('[["message", {"account": "torn')

    endpoint.deliveries.queue.clear()
    with start().connect() as sandbox:
        after = sandbox.read("chats")
        assert after["data"] == before["data"]
        replay = sandbox.write(100_000_001, text="once", key="k", price=5, mediaFiles=[1])
        assert (replay.headers["Idempotent-Replayed"], replay.json()["data"]["id"]) == ("true", sent["id"])
        assert sandbox.write(100_000_001).json()["data"]["id"] > after["data"][0]["lastMessage"]["id"]
        sandbox.fan("say", 100_000_001, text="still here")
        assert endpoint.next_event()["payload"]["text"] == "<p>still here</p>"
        assert sandbox.read("transactions")["data"]["list"][0]["amount"] == 5


def test_it_stops_cleanly_when_asked_even_while_answers_are_held_back(start):
    process = start()
    with process.connect("acct_x") as sandbox:
        sandbox.faults(delaySeconds=30)
        with pytest.raises(httpx.ReadTimeout):
            sandbox.post("/api/acct_x/chats/1/messages", json={"text": "x"}, timeout=0.1)
        assert process.stop() == 0


def test_it_listens_on_loopback_only(process):
    port = int(process.base.rpartition(":")[2])
    with Path("/proc/net/tcp").open() as table:
        local = [line.split()[1] for line in table if f":{port:04X} " in line and " 0A " in line]
    assert local == [f"0100007F:{port:04X}"]


def test_fans_play_by_themselves_when_told_to(start):
    with start("--autoplay").connect() as sandbox:
        assert sandbox.get("/sandbox/autoplay").json() == {"on": True}
        assert sandbox.put("/sandbox/autoplay", json={"on": False}).json() == {"on": False}
        assert sandbox.put("/sandbox/autoplay", json={"on": "yes"}).status_code == 400


def test_it_imports_nothing_of_the_product():
    for path in (Path(__file__).parents[2] / "sandbox").glob("*.py"):
        assert not [line for line in path.read_text().splitlines() if line.startswith(("import app", "from app"))]
