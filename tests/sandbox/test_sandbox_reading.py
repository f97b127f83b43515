import httpx
import pytest


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer other"}, {"Authorization": "Bearer sandbox-expired"}]
)
@pytest.mark.parametrize("path", ["accounts", "acct_demo/chats", "webhooks"])
def test_without_a_valid_key_nothing_is_shown(process, headers, path):
    answer = httpx.get(f"{process.base}/api/{path}", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"].startswith("Unauthorized. Go to ")


def test_what_is_no_account_is_not_found(demo):
    assert demo.get("/api/ada/chats").status_code == 404


def test_the_demo_account_is_listed(demo):
    assert demo.get("/api/accounts").json()[0]["id"] == "acct_demo"


def test_following_the_pages_finds_every_fan_once_although_pages_are_short(demo):
    address, ids, sizes = f"{demo.base_url}/api/acct_demo/fans/all?limit=20", [], []
    while address:
        answer = demo.get(address).json()
        assert answer["data"]["hasMore"] is bool(answer["_pagination"]["next_page"])
        ids += [fan["id"] for fan in answer["data"]["list"]]
        sizes.append(len(answer["data"]["list"]))
        address = answer["_pagination"]["next_page"]
    assert ids == list(range(100_000_001, 100_000_046))
    assert sizes[0] == 19


def test_a_fan_carries_name_and_spending(demo):
    [fan] = demo.read("fans/all", query="NOVA44")["data"]["list"]
    assert (fan["username"], fan["displayName"]) == ("nova44", "Nova 44")
    assert fan["subscribedOnData"]["totalSumm"] == 1000.44


def test_fans_are_active_or_expired(demo):
    expired = [fan["username"] for fan in demo.read("fans/expired")["data"]["list"]]
    assert expired == ["nova9", "nova19", "nova29", "nova39"]
    assert "nova9" not in [fan["username"] for fan in demo.read("fans/active")["data"]["list"]]


@pytest.mark.parametrize(
    "path", ["fans/all?limit=21", "fans/all?limit=0", "chats?limit=101", "chats/100000001/messages?limit=x"]
)
def test_a_page_too_large_is_refused(demo, path):
    assert demo.get(f"/api/acct_demo/{path}").status_code == 422


def test_the_demo_knows_only_its_fans_and_other_accounts_everyone(demo, sandbox):
    assert demo.write(5).status_code == 404
    assert demo.get("/api/acct_demo/chats/5/messages").status_code == 404
    assert sandbox.write(5).status_code == 200
    [fan] = sandbox.read("fans/all")["data"]["list"]
    assert (fan["id"], fan["username"]) == (5, "fan5")


def test_a_second_demo_account_has_the_same_fans_but_its_own_chats(process, sandbox):
    sandbox.account = "acct_demo_two"
    assert sandbox.write(100_000_001).status_code == 200
    assert sandbox.read("fans/all", query="nova0")["data"]["list"][0]["id"] == 100_000_001
    assert len(sandbox.read("chats")["data"]) == 1


def test_messages_page_backwards_from_a_cursor_that_repeats_its_row(sandbox):
    ids = [sandbox.write(text=str(n)).json()["data"]["id"] for n in range(5)]
    newest = sandbox.read("chats/7/messages", limit=3)
    assert [one["id"] for one in newest["data"]] == ids[:1:-1]
    older = sandbox.get(newest["_pagination"]["next_page"]).json()
    assert [one["id"] for one in older["data"]] == ids[2::-1]
    assert older["_pagination"]["next_page"] is None
    assert [one["id"] for one in sandbox.read("chats/7/messages", order="asc", last_id=ids[3])["data"]] == ids[3:]


def test_chats_come_newest_first_and_count_what_is_unread(sandbox):
    sandbox.write(1)
    sandbox.fan("say", 2, text="hello")
    sandbox.fan("say", 2, text="anyone?")
    first, second = sandbox.read("chats")["data"]
    assert [first["fan"]["id"], second["fan"]["id"]] == [2, 1]
    assert (first["unreadMessagesCount"], first["lastMessage"]["text"]) == (2, "<p>anyone?</p>")
    sandbox.post(f"/api/{sandbox.account}/chats/2/mark-as-read").raise_for_status()
    assert sandbox.read("chats")["data"][0]["unreadMessagesCount"] == 0
    assert [chat["fan"]["id"] for chat in sandbox.read("chats", order="old", limit=1)["data"]] == [1]


def test_own_messages_can_be_deleted_and_are_then_gone(sandbox):
    mine = sandbox.write().json()["data"]["id"]
    theirs = sandbox.fan("say", text="hello").json()["message"]["id"]
    path = f"/api/{sandbox.account}/chats/7/messages"
    assert sandbox.delete(f"{path}/{mine}").json()["data"]["success"] is True
    assert sandbox.get(f"{path}/{mine}").status_code == 404
    assert sandbox.delete(f"{path}/{theirs}").status_code == 400


def test_the_index_and_health_need_no_key(process):
    assert "stand-in" in httpx.get(f"{process.base}/sandbox").json()["about"]
    assert httpx.get(f"{process.base}/sandbox/health").status_code == 200
