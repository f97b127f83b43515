"""What the vendor accepts as a message: checks the body of a send and says what is wrong the way Laravel does."""

from typing import Any

from sandbox.money import cents_of
from sandbox.state import Account

MIN_PRICE, MAX_PRICE = 300, 20_000

Errors = dict[str, list[str]]


def checked(account: Account, body: dict[str, Any]) -> tuple[dict[str, Any], Errors]:
    """The message's fields, and per wrong field of the body what is wrong with it."""
    errors: Errors = {}
    media = _media(account, body.get("mediaFiles"), "mediaFiles", errors)
    previews = _media(account, body.get("previews"), "previews", errors)
    text = _text(body.get("text"), bool(media) or bool(body.get("giphyId")), errors)
    price = _price(body.get("price"), bool(media), errors)
    if {one["id"] for one in previews} - {one["id"] for one in media}:
        errors.setdefault("previews", []).append("The previews must also be in mediaFiles.")
    if not isinstance(body.get("lockedText", False), bool):
        errors["lockedText"] = ["The lockedText field must be true or false."]
    fields = {
        "text": text,
        "price": price,
        "locked": bool(body.get("lockedText", False)),
        "media": media,
        "previews": [one["id"] for one in previews],
        "reply_to": _reply_to(body.get("replyToMessageId"), errors),
    }
    return fields, errors


def _text(value: Any, has_media: bool, errors: Errors) -> str:
    if value is not None and not isinstance(value, str):
        errors["text"] = ["The text field must be a string."]
        return ""
    if not (value or "").strip() and not has_media:
        errors["text"] = ["The text field is required when media files is not present."]
    return value or ""


def _price(value: Any, has_media: bool, errors: Errors) -> int:
    cents = cents_of(0 if value is None else value)
    if cents is None:
        errors["price"] = ["The price field must be a number of dollars with at most two decimals."]
        return 0
    if cents and not MIN_PRICE <= cents <= MAX_PRICE:
        errors["price"] = ["The price field must be 0 or between 3 and 200."]
    elif cents and not has_media:
        errors["mediaFiles"] = ["The media files field is required when price is present."]
    return cents


def _media(account: Account, value: Any, field: str, errors: Errors) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list):
        errors[field] = [f"The {field} field must be an array."]
        return []
    found = [_find_media(account, one) for one in value]
    for number, one in enumerate(found):
        if one is None:
            errors[f"{field}.{number}"] = [f"The selected {field}.{number} is invalid or was already used."]
    return [one for one in found if one is not None]


def _find_media(account: Account, value: Any) -> dict[str, Any] | None:
    """An upload not used yet, or a vault id: any whole number."""
    if isinstance(value, str) and value in account.uploads:
        return account.uploads[value]
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    digits = str(value)
    return {"id": int(digits), "type": "photo"} if digits.isascii() and digits.isdigit() else None


def _reply_to(value: Any, errors: Errors) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not str(value).isdigit():
        errors["replyToMessageId"] = ["The replyToMessageId field must be an integer."]
        return None
    return int(value)
