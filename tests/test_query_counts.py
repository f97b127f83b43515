"""No list asks the database more often because it has more rows."""

from sqlalchemy import event, update

from app.conversations.models import Message, MessageStatus
from app.database import db, execute, write
from app.quick_replies import actions as replies
from tests.people import Person, add_fan, connect

LISTS = (
    "/api/crm/fans",
    "/api/crm/conversations",
    "/api/crm/messages",
    "/api/campaigns",
    "/api/campaigns/{campaign}/recipients",
    "/api/crm/conversations/{conversation}/messages",
    "/api/onlyfans/messages/failed",
    "/fans",
    "/fans/{fan}/timeline",
    "/segments",
    "/segments/new",
    "/messages/onlyfans",
    "/messages/onlyfans/{conversation}",
    "/messages/onlyfans/search?q=hello",
    "/messages/onlyfans/views",
    "/messages/onlyfans/failed",
    "/campaigns",
    "/campaigns/{campaign}",
    "/imports",
    "/settings/replies",
    "/messages/onlyfans/{conversation}/replies",
    "/api/analytics/onlyfans",
    "/platforms/onlyfans/analytics",
    "/platforms/onlyfans/analytics/statement",
    "/platforms/onlyfans/analytics/sold",
    "/platforms/onlyfans/analytics/rows?report=transactions",
    "/platforms/onlyfans/analytics/rows?report=fans",
    "/platforms/onlyfans/analytics/rows?report=messages&which=in",
    "/platforms/onlyfans/analytics/rows?report=campaigns",
)


def test_the_number_of_queries_does_not_grow_with_the_rows(app, ada: Person, sandbox):
    connect(ada, sandbox.url)
    browser = ada.browser()
    names = grow(ada, range(1, 4))
    few = {path: count_queries(app, ada, browser, path.format(**names)) for path in LISTS}
    names |= grow(ada, range(4, 12), names["conversation"])
    many = {path: count_queries(app, ada, browser, path.format(**names)) for path in LISTS}
    assert [f"{path}: {few[path]}, then {many[path]}" for path in LISTS if many[path] > few[path]] == []


def grow(ada: Person, numbers: range, conversation: int = 0) -> dict[str, int]:
    """More of everything. Returns the ids that addresses need: of the newest campaign, of one long thread."""
    with ada.app.app_context():
        for number in numbers:
            replies.add_reply(ada.account_id, ada.user_id, replies.Wording(f"code-{number}", "t", "{{name}} {{tier}}"))
    fans = [add_fan(ada, number, tags=["VIP", f"tag {number}"])["id"] for number in numbers]
    for fan in fans:
        ada.post("/api/onlyfans/messages/send", {"recipientId": fan, "content": "hello"}, 202)
        ada.post("/api/onlyfans/messages/send", {"recipientId": fan, "content": "refused"}, 202)
    with ada.app.app_context(), write():
        execute(update(Message).where(Message.text == "refused").values(status=MessageStatus.FAILED))
    campaigns = [ada.post("/api/messages/bulk", {"recipientIds": fans, "content": "x"}, 202) for _ in numbers]
    ada.post(f"/api/campaigns/{campaigns[0]['campaignId']}/cancel", status=200)
    conversation = conversation or ada.post("/api/crm/conversations", {"fanId": fans[0]}, 200)["id"]
    for number in numbers:
        ada.post(f"/api/crm/conversations/{conversation}/messages", {"text": f"line {number}"}, 202)
    return {"campaign": campaigns[-1]["campaignId"], "conversation": conversation, "fan": fans[0]}


def count_queries(app, ada: Person, browser, path: str) -> int:
    seen: list[str] = []
    with app.app_context():
        engine = db.engine

    def note(_connection, _cursor, statement: str, *_) -> None:
        seen.append(statement)

    def ask():
        return ada.call("GET", path) if path.startswith("/api/") else browser.get(path)

    ask()  # the first look at a thread also notes that it was seen
    event.listen(engine, "before_cursor_execute", note)
    try:
        assert ask().status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len([statement for statement in seen if not statement.startswith(("BEGIN", "COMMIT"))])
