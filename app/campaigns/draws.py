"""Drawing lots among fans, in the database: who is held back, and who reads which wording.

A lot is a hash of the campaign and the fan. So it is the same however often it is drawn, independent from one campaign
to another, and no column of the fan's has a part in it.
"""

from typing import Any

from sqlalchemy import BigInteger, cast, func, literal

from app.database import on_postgresql

HELD_BACK, WORDING = 1, 2  # what is drawn for: lots of one kind tell nothing about the other
OF = 10_000


def lot(campaign_id: int, fan_id: Any, what: int) -> Any:
    """From 0 to 9,999."""
    seed = literal(campaign_id * 8 + what, BigInteger)
    if on_postgresql():
        number = func.hashint8extended(cast(fan_id, BigInteger), seed, type_=BigInteger)
        return (number % OF + OF) % OF  # a remainder has its number's sign
    return func.lot(fan_id, seed, type_=BigInteger) % OF
