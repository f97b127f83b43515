"""What a person decides about a message that failed or is unknown: send it again, it arrived, it did not."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select

from app import restored
from app.bulk import new_keys
from app.conversations import live, queries, waiting
from app.conversations.actions import change_status, change_status_of_all, connection_for
from app.conversations.claims import wake
from app.conversations.models import Message, MessageStatus
from app.database import utcnow, write
from app.errors import Conflict
from app.fans import queries as fans

NOT_ARRIVED = "A person saw that it did not arrive."


def retry(account_id: int, message_id: int) -> Message:
    """Sends a failed message again, under a new key: the old one stands for the refusal. Raises NotFound, Conflict."""
    with write():
        message = _find_sent(account_id, message_id)
        noted = _requeue(message)
    live.tell(noted)
    wake(account_id)
    return message


def send_again(account_id: int, message_id: int) -> Message:
    """A person says that an unknown message did not arrive, and has it sent again. Raises NotFound, Conflict."""
    with write():
        message = _find_sent(account_id, message_id)
        noted = _decided(message, arrived=False) + _requeue(message)
    live.tell(noted)
    wake(account_id)
    return message


def _find_sent(account_id: int, message_id: int) -> Message:
    """Raises NotFound, or Conflict for one that came from the fan."""
    found = queries.find_message(account_id, message_id)
    if found.direction == "in":
        raise Conflict("Only what was sent from here can be sent again, or settled.")
    return found


def _requeue(message: Message) -> list[live.Noted]:
    if message.fan_id is None:
        raise Conflict("The fan was deleted.")
    connection = connection_for(fans.find_fan(message.account_id, message.fan_id))
    if message.campaign_id and waiting.is_cancelled(message.campaign_id):
        raise Conflict("Its campaign was cancelled.")
    noted = requeue_failed(message, connection.id)
    if not noted:
        raise Conflict("Only a failed message can be sent again.")
    return noted


def requeue_failed(message: Message, connection_id: int) -> list[live.Noted]:
    """Does not commit. Nothing where the message is not failed."""
    return change_status(message, MessageStatus.FAILED, **_queued_again(connection_id))


def requeue_all_failed(those: Select[int], connection_id: int) -> Sequence[Any]:
    """See change_status_of_all."""
    return change_status_of_all(those, MessageStatus.FAILED, **_queued_again(connection_id))


def _queued_again(connection_id: int) -> dict[str, Any]:
    return {
        "status": MessageStatus.QUEUED,
        "status_reason": None,
        "idempotency_key": new_keys(),
        "connection_id": connection_id,
        "due_tick": None,
        "tries": 0,
        "doubt": restored.doubts_about(Message.changed_at),  # somebody may have pressed for it before
        "platform_media": None,
    }


def settle(account_id: int, message_id: int, *, arrived: bool) -> Message:
    """A person says what became of an unknown message. Raises NotFound, Conflict."""
    with write():
        message = _find_sent(account_id, message_id)
        noted = _decided(message, arrived=arrived)
    live.tell(noted)
    return message


def _decided(message: Message, *, arrived: bool) -> list[live.Noted]:
    noted = decide(message, arrived=arrived)
    if not noted:
        raise Conflict("Only an unknown message can be settled.")
    return noted


def decide(message: Message, *, arrived: bool) -> list[live.Noted]:
    """Does not commit. Nothing where the message is not unknown."""
    return change_status(message, MessageStatus.UNKNOWN, **_known_to(arrived=arrived))


def decide_all(those: Select[int], *, arrived: bool) -> Sequence[Any]:
    """See change_status_of_all."""
    return change_status_of_all(those, MessageStatus.UNKNOWN, **_known_to(arrived=arrived))


def _known_to(*, arrived: bool) -> dict[str, Any]:
    if arrived:
        return {"status": MessageStatus.SENT, "status_reason": None, "sent_at": utcnow()}
    return {"status": MessageStatus.FAILED, "status_reason": NOT_ARRIVED}
