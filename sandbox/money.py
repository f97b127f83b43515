"""Cents inside, US dollars on the wire."""

from decimal import Decimal, InvalidOperation


def dollars(cents: int) -> int | float:
    """The JSON number for an amount; the nearest double of a two-place decimal prints as that decimal."""
    whole, rest = divmod(cents, 100)
    return cents / 100 if rest else whole


def label(cents: int) -> str:
    return f"${cents // 100}.{cents % 100:02d}"


def cents_of(value: object) -> int | None:
    """Cents of a JSON number (read as int or Decimal) in dollars; None where it is no amount in whole cents."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    amount = Decimal(value)
    if not amount.is_finite() or abs(amount) > 10**9 or amount != amount.quantize(Decimal("0.01")):
        return None
    return int(amount * 100)


def cents_of_text(text: str) -> int:
    """Cents of a CSV cell such as `$1,234.50`; an empty or odd cell is nothing spent."""
    try:
        return int(Decimal(text.replace("$", "").replace(",", "").strip() or "0") * 100)
    except InvalidOperation:
        return 0
