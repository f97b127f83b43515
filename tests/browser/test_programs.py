"""What programs rely on and only running workers can show: imports that are waited for, chats that are read back."""

import httpx

from tests.browser.stack import Stack
from tests.servers import wait_until

CSV = b"""Username,Display Name,Email,Subscription Tier,Total Spent,Last Seen
program_one,Program One,one@example.com,VIP,$500.00,2026-11-01
program_two,Program Two,no address,VIP,$5.00,2026-11-01
"""


def upload(stack: Stack, content: bytes, name: str = "fans.csv", **headers: str) -> httpx.Response:
    path = "/api/onlyfans/import/csv"
    return stack.http.post(path, files={"file": (name, content, "text/csv")}, headers=headers)


def test_a_csv_is_imported_within_the_call_and_again_changes_nothing(stack: Stack):
    answer = upload(stack, CSV)
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "completed"
    assert answer.json()["kind"] == "fans"
    summary = answer.json()["summary"]
    counts = {name: summary[name] for name in ("totalRows", "successfulInserts", "updated", "unchanged", "skipped")}
    assert counts == {"totalRows": 2, "successfulInserts": 1, "updated": 0, "unchanged": 0, "skipped": 1}
    (error,) = summary["errors"]
    assert (error["row"], error["column"], error["value"]) == (3, "Email", "no address")
    assert summary["warnings"] == []
    fan = stack.call("GET", "/api/crm/fans?search=program_one")["fans"][0]
    assert (fan["handle"], fan["valueCents"], fan["tags"]) == ("@program_one", 50000, ["VIP"])
    assert upload(stack, CSV).json()["summary"]["unchanged"] == 1


def test_one_who_does_not_wait_is_told_where_to_look(stack: Stack):
    answer = upload(stack, CSV, Prefer="respond-async")
    assert (answer.status_code, answer.json()["status"]) == (202, "running")
    found = wait_until(
        lambda: (seen := stack.call("GET", answer.headers["Location"]))["status"] == "completed" and seen
    )
    assert found["summary"]["totalRows"] == 2
    rejected = stack.http.get(f"{answer.headers['Location']}/rejected.csv")
    assert "no address" in rejected.text
    assert rejected.text.splitlines()[0].endswith("row,error")


def test_a_file_that_is_too_large_is_answered_before_it_is_read(stack: Stack):
    answer = upload(stack, b"Username\n" + b"x" * (11 * 1024 * 1024))
    assert answer.status_code == 413
    assert answer.json()["errors"][0]["field"] == "file"


def test_what_the_fan_opens_and_buys_is_seen(stack: Stack, fan: dict):
    body = {"recipientId": fan["id"], "content": "for you", "priceCents": 1200, "mediaUrls": ["platform:77"]}
    message_id = stack.call("POST", "/api/onlyfans/messages/send", json=body)["messageId"]

    def message() -> dict:
        return stack.call("GET", f"/api/onlyfans/messages/{message_id}")

    wait_until(lambda: message()["status"] in ("sent", "delivered"))
    stack.sandbox.fan("buy", fan["platformFanId"])
    wait_until(lambda: message()["purchased"])
    assert stack.call("GET", f"/api/crm/fans/{fan['id']}")["valueCents"] == 1200
    stack.sandbox.fan("open", fan["platformFanId"])
    wait_until(lambda: message()["status"] == "read", seconds=40)


def test_all_parts_say_that_they_are_well(stack: Stack):
    found = stack.call("GET", "/api/monitoring/onlyfans")
    assert found["status"] == "healthy", found
    assert set(found["components"]) == {"database", "redis", "workers", "sender"}
    metrics = stack.http.get("/metrics").text
    assert "greenroom_send_attempts_total" in metrics
