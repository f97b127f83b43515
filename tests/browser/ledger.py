"""A campaign of which the platform took nothing: some messages failed, of some it is not known."""

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.stack import Stack
from tests.servers import wait_until

FANS, UNWANTED = range(844, 852), 851
REFUSED, NO_ANSWER, LEFT_OUT = "Cannot send message to this user", "No answer came.", "must not be messaged"
UNKNOWN, FAILED = 4, 3  # how many


@dataclass(frozen=True)
class Books:
    """Whom it was for, by what became of them."""

    path: str
    unknown: list[str]
    failed: list[str]
    left_out: str


def make_campaign(stack: Stack, name: str) -> Books:
    stack.call("PUT", f"/api/crm/fans/{UNWANTED}", json={"doNotMessage": True})
    stack.sandbox.reset()
    stack.sandbox.faults(refuse=1)
    body = {"recipientIds": list(FANS), "content": "Hello you", "campaignName": name}
    campaign = stack.call("POST", "/api/messages/bulk", json=body)["campaignId"]
    wait_until(lambda: metrics(stack, campaign)["failed"] == UNKNOWN + FAILED)
    stack.sandbox.reset()
    lose_answers(stack, campaign, FANS[:UNKNOWN])
    names = [stack.fan(number)["name"] for number in FANS]
    return Books(f"/campaigns/{campaign}", names[:UNKNOWN], names[UNKNOWN:-1], names[-1])


def metrics(stack: Stack, campaign: int) -> dict[str, int]:
    return stack.call("GET", f"/api/campaigns/{campaign}")["metrics"]


def lose_answers(stack: Stack, campaign: int, fans: range) -> None:
    """As six tries without an answer leave a message: through the sender that takes minutes."""
    database = Path(stack.environment["GREENROOM_INSTANCE"]) / "greenroom.sqlite"
    lost = "UPDATE messages SET status = 'unknown', status_reason = ? WHERE campaign_id = ? AND fan_id BETWEEN ? AND ?"
    with closing(sqlite3.connect(database, timeout=15)) as connection, connection:
        connection.execute(lost, [NO_ANSWER, campaign, fans[0], fans[-1]])


def shows(page: Page, names: list[str]) -> None:
    """The ledger has these lines and no other."""
    expect(page.locator("#ledger tbody .row-link")).to_have_text(names)


def counts(page: Page, **wanted: int) -> None:
    """The numbers of the progress card."""
    for label, number in wanted.items():
        expect(count_of(page, label)).to_have_text(str(number))


def count_of(page: Page, label: str) -> Locator:
    return page.locator("#progress .counts > div", has_text=re.compile(rf"^\s*{label}\s*\d")).locator("dd")
