"""Files that fans got or bought before a campaign carries them."""

from tests.events import Platform
from tests.media.conftest import PNG
from tests.media.conftest import upload as upload_file
from tests.people import Person
from tests.sending import drain


def upload(ada: Person, content: str) -> str:
    """Its address."""
    return upload_file(ada, PNG + content.encode(), name=f"{content}.png")["url"]


def send(ada: Person, fan: int, *files: str, price_cents: int = 0, preview: str = "", becomes: str = "sent") -> int:
    """Returns the message's id; it has gone out, or failed to."""
    attachments = [{"url": each} | ({"preview": True} if each == preview else {}) for each in files]
    thread = ada.call("POST", "/api/crm/conversations", json={"fanId": fan}).get_json()["id"]
    body = {"text": "See", "priceCents": price_cents, "attachments": attachments}
    message = ada.post(f"/api/crm/conversations/{thread}/messages", body, 202)["id"]
    drain(ada.app)
    assert ada.get(f"/api/onlyfans/messages/{message}")["status"] == becomes
    return message


def buy(ada: Person, message: int) -> None:
    """The platform tells that its fan bought it."""
    bought = ada.get(f"/api/onlyfans/messages/{message}")
    fan = ada.get(f"/api/crm/fans/{bought['fanId']}")
    payload = {
        "id": f"t{message}", "user": {"id": int(fan["platformFanId"]), "username": fan["handle"].removeprefix("@")},
        "replacePairs": {
            "{AMOUNT}": f"${bought['priceCents'] / 100:.2f}",
            "{MESSAGE_LINK}": f"https://x/?firstId={bought['platformMessageId']}",
        },
    }  # fmt: skip
    connection = ada.get("/api/connections")["connections"][0]["id"]
    Platform(ada, connection).tell("messages.ppv.unlocked", payload, f"evt_{message}")
    assert ada.get(f"/api/onlyfans/messages/{message}")["purchased"]
