"""News of a fan, for the lists that show them."""

from typing import Any

from app.conversations import live, queries
from app.database import write
from app.fans.models import Fan


def show_anew(fan: Fan, **_: Any) -> None:
    """After the fan's own commit: what is lost here, the next news of their thread makes good."""
    thread = queries.find_conversation_with(fan.account_id, fan.id)
    if thread is None:
        return
    with write():
        noted = live.note_conversation(fan.account_id, thread.id)
    live.tell(noted)
