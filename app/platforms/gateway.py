"""What an adapter must do, and what may go wrong, in words that hold for every platform.

Money is integer cents, times are aware, ids are text.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


class PlatformError(Exception):
    """`detail` is fit for people to read and holds no secret."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class NotSent(PlatformError):
    """Certainly not sent; trying again may help."""


class RateLimited(NotSent):
    def __init__(self, detail: str, retry_after_seconds: float | None) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class CredentialsExpired(NotSent):
    """Nothing works on this connection until a person gives a new key."""


class Refused(PlatformError):
    """Certainly not sent, and never will be."""


class OutcomeUnknown(PlatformError):
    """It may have been sent. Ask again with the same key, or read the chat.

    answered: the platform did answer, but with an error, for which it keeps no key.
    """

    def __init__(self, detail: str, *, answered: bool = False) -> None:
        super().__init__(detail)
        self.answered = answered


@dataclass(frozen=True)
class OutgoingMessage:
    chat_id: str
    text: str
    price_cents: int
    media: tuple[str, ...]  # the platform's own media ids
    idempotency_key: str
    previews: tuple[str, ...] = ()  # those of `media` that are shown before the message is bought


@dataclass(frozen=True)
class PlatformMessage:
    """A message as it stands in a chat on the platform."""

    id: str
    chat_id: str
    text: str
    sent_by_us: bool
    created_at: datetime
    opened: bool = False
    price_cents: int = 0
    attachments: tuple[dict[str, str], ...] = ()


@dataclass(frozen=True)
class Chat:
    """The newest messages of a chat, newest first, and what the platform's own clock showed when it told them."""

    messages: list[PlatformMessage]
    told_at: datetime


@dataclass(frozen=True)
class PlatformFan:
    id: str
    handle: str
    name: str
    avatar_url: str = ""
    subscription_status: str = ""
    subscribed_at: datetime | None = None
    subscription_ends_at: datetime | None = None
    last_seen_at: datetime | None = None


@dataclass(frozen=True)
class MessageReceived:
    message: PlatformMessage
    fan: PlatformFan


@dataclass(frozen=True)
class MessageSent:
    """A message of the creator's stands in the chat: sent by us, or written on the platform itself."""

    message: PlatformMessage
    fan: PlatformFan


@dataclass(frozen=True)
class MessageDeleted:
    message_id: str


@dataclass(frozen=True)
class MoneyMoved:
    transaction_id: str
    kind: str  # tip | message | subscription | renewal
    fan: PlatformFan
    gross_cents: int
    net_cents: int | None
    at: datetime
    message_id: str | None = None  # the paid message, where the platform names it


@dataclass(frozen=True)
class CredentialsLost:
    detail: str


PlatformEvent = MessageReceived | MessageSent | MessageDeleted | MoneyMoved | CredentialsLost


@dataclass(frozen=True)
class Endpoint:
    """Where and as whom an adapter talks."""

    base_url: str
    account: str
    api_key: str = field(repr=False)


class PlatformGateway(Protocol):
    honours_idempotency_keys: bool

    def __init__(self, endpoint: Endpoint) -> None: ...

    def check(self) -> str:
        """The creator's name there. Raises PlatformError."""
        ...

    def send(self, message: OutgoingMessage) -> str:
        """The platform's id of the message. Raises NotSent, Refused or OutcomeUnknown."""
        ...

    def upload(self, name: str, content_type: str, content: bytes) -> str:
        """The platform's id of the medium. Raises NotSent or Refused."""
        ...

    def read_chat(self, chat_id: str, limit: int, before: str | None = None) -> Chat:
        """The newest messages, or those before one. Raises PlatformError."""
        ...

    def recent_chats(self, limit: int, offset: int = 0) -> list[tuple[PlatformFan, PlatformMessage]]:
        """With whom, and the last message; the most recent first, in one call. Raises PlatformError."""
        ...

    def fans_page(self, offset: int) -> tuple[list[PlatformFan], int | None]:
        """Some fans, and where the next page begins; None at the end. Raises PlatformError."""
        ...

    def register_webhook(self, url: str, secret: str) -> None: ...

    def read_events(self, body: dict[str, Any]) -> list[PlatformEvent]:
        """What a webhook's body says; nothing for kinds that do not matter here.

        Raises ValueError, KeyError or TypeError for a body that is not what the platform documents.
        """
        ...
