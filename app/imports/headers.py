"""What a column's header says it holds. One table for people, one for money; a header not in them is judged by its values."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

from app.imports.models import ImportKind

IDENTITY = ("platform_fan_id", "handle", "email", "name", "first_name", "last_name")
WHO = "who"  # a person, by whatever names them: the values tell
CUSTOM = "custom"  # a column that is kept on the fan under its own name
CUSTOM_PREFIX = "Custom: "
LISTS = frozenset({"tags", "tier", CUSTOM})  # fields that may have several columns
MONEY = frozenset({"value_cents", "gross", "net", "fee", "tax", "vat", "refunded"})
FAN_MOMENTS = ("last_seen_at", "subscribed_at", "subscription_ends_at")
MOMENTS = frozenset({*FAN_MOMENTS, "at"})

_PEOPLE = {
    "handle": "username|user name|handle|fan username|fan handle|onlyfans username|onlyfans handle|screen name|login|nickname"
    "|customer username|subscriber username|member username",
    "name": "display name|name|full name|fan name|real name|customer name|profile name|displayname|member name|subscriber name",
    "first_name": "first name|firstname|given name|fname",
    "last_name": "last name|lastname|surname|family name|lname",
    "email": "email|e mail|email address|e mail address|mail|from email address|customer email"
    "|payer email|contact email|user email"
    "|fan email|member email|supporter email",
    "phone": "phone|phone number|mobile|mobile number|telephone|tel|cell phone",
    "platform_fan_id": "platform id|platform fan id|user id|userid|fan id|onlyfans id|onlyfans user id|platform user id|of id",
    WHO: "fan|user|from|customer|supporter|subscriber|member|payer|buyer|client",
}
_FANS = {
    "tier": "subscription tier|tier|plan|membership tier|membership level|subscription plan|level",
    "tags": "tags|tag|labels|label|lists|list|tiers|segments|groups|group",
    "value_cents": "total spent|total spend|totalspent|spent|spend|amount spent|lifetime amount|lifetime value|ltv|lifetime spend"
    "|lifetime spent|total|total revenue|total purchases|value|total paid|total amount|value cents|total spent cents|revenue",
    "last_seen_at": "last seen|last seen at|last active|last active at|last activity|last online|last login|last visit|lastseen",
    "subscribed_at": "subscribed at|subscribed on|subscribed since|subscription start|subscription started|subscription date"
    "|subscription start date",
    "subscription_ends_at": "subscription ends|subscription end|subscription end date|subscription expires|expires at|expires"
    "|expires on|expiry|expiry date|expiration date",
    "subscription_status": "subscription status|patron status|active subscription|status|sub status",
    "notes": "notes|note|comments|comment",
    "do_not_message": "do not message|do not contact|dnm|dnc|opted out|unsubscribed",
    "avatar_url": "avatar|avatar url|photo url|profile picture",
    "timezone": "timezone|time zone|fan timezone|local timezone",
    "currency": "currency|currency code",
}
_MONEY_MOVED = {
    "transaction_id": "transaction id|transactionid|id|payment id|charge id|txn id|transaction|reference|order id",
    "type": "transaction type|transactiontype|type|kind|category",
    "gross": "gross|gross revenue|gross amount|amount|received|amount paid|payment amount|price|total|gross earnings"
    "|amount cents",
    "net": "net|net amount|net revenue|net earnings|earnings|net cents",
    "fee": "fee|fees|platform fee|fee amount|processing fee",
    "tax": "tax|tax amount|taxes|sales tax",
    "vat": "vat|vat amount|gst",
    "refunded": "amount refunded|refunded",
    "currency": "currency|currency code",
    "at": "datetime|date time|created at|created date|created|timestamp|transaction date|payment date|paid at|date|at",
    "time": "time",
    "zone": "timezone|time zone",
    "status": "status|payment status|state",
}


LABELS = {
    "handle": "Username", "name": "Display name", "first_name": "First name", "last_name": "Last name", "email": "E-mail",
    "phone": "Phone", "platform_fan_id": "Platform id", "tier": "Tier (as a tag)", "tags": "Tags",
    "value_cents": "Total spent", "last_seen_at": "Last seen", "subscribed_at": "Subscribed",
    "subscription_ends_at": "Subscription ends", "subscription_status": "Subscription", "notes": "Notes",
    "do_not_message": "Do not message", "avatar_url": "Picture address",
    "timezone": "Their time zone", "currency": "Currency",
    "transaction_id": "Transaction id", "type": "Type", "gross": "Gross amount", "net": "Net amount", "fee": "Fee",
    "tax": "Tax", "vat": "Tax (VAT)",
    "refunded": "Refunded", "at": "Date", "time": "Time", "zone": "Time zone", "status": "Status",
    CUSTOM: "A field of your own",
}  # fmt: skip


def _table(*fields: dict[str, str]) -> dict[str, tuple[str, int]]:
    """Header -> field, and how well it says so: 0 is best."""
    merged: dict[str, tuple[str, int]] = {}
    for each in fields:
        for name, words in each.items():
            merged |= {word: (name, rank) for rank, word in enumerate(words.split("|"))}
    return merged


TABLES = {
    ImportKind.FANS: _table(_PEOPLE, _FANS),
    ImportKind.TRANSACTIONS: _table(_PEOPLE, _MONEY_MOVED),
    ImportKind.DO_NOT_MESSAGE: _table(_PEOPLE),
}
FIELDS = {
    kind: [name for name in LABELS if name in {field for field, _ in table.values()}] for kind, table in TABLES.items()
}
FIELDS[ImportKind.FANS].append(CUSTOM)
KNOWN = TABLES[ImportKind.FANS] | TABLES[ImportKind.TRANSACTIONS]

# Columns whose values look like something they are not.
_NEVER = re.compile(
    r"\b(price|pledge|charge|ip|street|city|employee|creator|to email|row|error|fee|tax|refund|referr\w+|tips?|average"
    r"|subscription)\b"
)
_ZONE = re.compile(r"\((utc|gmt)\)|\b(utc)$|([A-Z][A-Za-z]+/[A-Za-z_+\-0-9/]+)\)?$", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"[(\[][^()\[\]]*[)\]]")
_CODE = re.compile(r"\b(USD|EUR|GBP|CAD|AUD|CHF|NZD|JPY|SEK|NOK|DKK|PLN|BRL|MXN)\b")


@dataclass(frozen=True)
class Header:
    """A header without its decoration, and what the decoration said."""

    key: str
    zone: str | None = None
    cents: bool = False
    currency: str | None = None


@lru_cache(maxsize=4096)
def read_header(text: str) -> Header:
    text = unicodedata.normalize("NFKC", text[:300]).strip()
    zone = _ZONE.search(text)
    if zone and zone[3] and text[: zone.start()].strip() and "/" in zone[3] and zone[3].lower() != "date/time":
        text = text[: zone.start()]
    bare = _IN_BRACKETS.sub(" ", text)
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", bare)
    key = " ".join(re.sub(r"[\W_]+", " ", spaced).casefold().split()).replace("only fans", "onlyfans")
    cents = bool(
        re.search(r"\bcents\b", re.sub(r"[\W_]+", " ", re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", text)), re.IGNORECASE)
    )
    code = _CODE.search(text)
    if code:
        key = re.sub(rf"\s+{code[1].lower()}$", "", key)
    key = re.sub(r"(?<=\w) utc$", "", key)
    return Header(key, _zone_name(zone), cents, code[1] if code else None)


def _zone_name(found: re.Match[str] | None) -> str | None:
    if not found:
        return None
    if found[1] or found[2]:
        return "UTC"
    return found[3] if found[3].lower() != "date/time" and _is_zone(found[3]) else None


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def is_known(text: str) -> bool:
    return read_header(text).key in KNOWN


def custom_name(text: str) -> str:
    """Under which name a column is kept on the fan. Our own exports say so in front."""
    return text[len(CUSTOM_PREFIX) :].strip() if is_marked_custom(text) else text


def is_marked_custom(text: str) -> bool:
    return text.casefold().startswith(CUSTOM_PREFIX.casefold())


def may_be_judged_by_values(text: str) -> bool:
    return not _NEVER.search(read_header(text).key)


def kind_of(keys: set[str], file_name: str) -> ImportKind:
    """What a file with these headers is about."""
    fields = {TABLES[ImportKind.TRANSACTIONS][key][0] for key in keys if key in TABLES[ImportKind.TRANSACTIONS]}
    people = {TABLES[ImportKind.FANS][key][0] for key in keys if key in TABLES[ImportKind.FANS]}
    money = {"gross", "net"} & fields and "at" in fields
    if money and (
        fields & {"transaction_id", "type", "fee", "refunded"} - _only_id(keys) or "value_cents" not in people
    ):
        return ImportKind.TRANSACTIONS
    name = re.sub(r"[\W_]+", " ", file_name.casefold())
    if re.search(r"\b(do not (message|contact)|dnm|dnc|block ?list|opt ?outs?)\b", name):
        return ImportKind.DO_NOT_MESSAGE
    return ImportKind.FANS


def _only_id(keys: set[str]) -> set[str]:
    """A bare `id` beside a fan's own columns is no sign of a payment."""
    return {"transaction_id"} if "id" in keys and not keys & {"transaction id", "payment id", "charge id"} else set()


def is_patreon(keys: set[str]) -> bool:
    return {"patron status", "pledge amount"} <= keys
