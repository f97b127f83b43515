"""Accounts with a connection and a campaign each, straight into the tables: what a bench of the outbox sends."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import func, insert, select

from app.accounts.models import Account
from app.campaigns.models import Campaign
from app.conversations.models import Conversation, Message, MessageStatus, new_key
from app.database import db, utcnow, write
from app.fans.models import Fan
from app.platforms.models import Connection

ROWS_AT_ONCE = 5000
FIRST_CHAT = 500_000_000


def add_connections(prefix: str, count: int, messages: int, base_url: str, pace: tuple[int, int]) -> list[int]:
    """Accounts with a campaign to `messages` fans each, all queued. Returns the ids of the accounts."""
    with write() as session:
        accounts = [Account(name=f"{prefix} {number}") for number in range(count)]
        session.add_all(accounts)
        session.flush()
        connections = [
            Connection(
                account_id=account.id, base_url=base_url, external_account=f"acct_{prefix}_{number}",
                api_key="sandbox-bench", webhook_secret="unused", pace_limit=pace[0], pace_window_seconds=pace[1], due_tick=0,
            )
            for number, account in enumerate(accounts)
        ]  # fmt: skip
        session.add_all(connections)
        session.flush()
        campaigns = [
            Campaign(account_id=each.account_id, connection_id=each.id, name="Bench", content="hello", priority=5)
            for each in connections
        ]
        session.add_all(campaigns)
        session.flush()
        lines = [(each.account_id, each.connection_id or 0, each.id) for each in campaigns]
        _add_fans(lines, messages)
        return [account_id for account_id, _, _ in lines]


def _add_fans(lines: list[tuple[int, int, int]], messages: int) -> None:
    fan_id = db.session.scalar(select(func.coalesce(func.max(Fan.id), 0))) or 0
    conversation_id = db.session.scalar(select(func.coalesce(func.max(Conversation.id), 0))) or 0
    shift = fan_id - conversation_id
    fans = [
        {"id": fan_id + 1 + place * messages + number, "account_id": account_id, "handle": f"fan{number}",
         "name": f"Fan {number}", "platform_fan_id": str(FIRST_CHAT + number), "created_at": utcnow(), "updated_at": utcnow()}
        for place, (account_id, _, _) in enumerate(lines)
        for number in range(messages)
    ]  # fmt: skip
    _insert(Fan, fans)
    of_fan = (
        {"id": fan["id"] - shift, "account_id": fan["account_id"], "fan_id": fan["id"], "created_at": utcnow()}
        for fan in fans
    )
    _insert(Conversation, of_fan)
    of_account = {account_id: (connection_id, campaign_id) for account_id, connection_id, campaign_id in lines}
    _insert(Message, (_message(fan, fan["id"] - shift, *of_account[fan["account_id"]]) for fan in fans))


def _message(fan: dict[str, Any], conversation_id: int, connection_id: int, campaign_id: int) -> dict[str, Any]:
    return {
        "account_id": fan["account_id"], "conversation_id": conversation_id, "fan_id": fan["id"],
        "connection_id": connection_id, "campaign_id": campaign_id, "direction": "out", "status": MessageStatus.QUEUED,
        "text": "hello", "search_text": "hello", "rank": 5, "idempotency_key": new_key(), "attachments": [],
        "created_at": utcnow(), "changed_at": utcnow(),
    }  # fmt: skip


def _insert(table: Any, rows: Iterable[dict[str, Any]]) -> None:
    waiting = list(rows)
    for start in range(0, len(waiting), ROWS_AT_ONCE):
        db.session.execute(insert(table), waiting[start : start + ROWS_AT_ONCE])
