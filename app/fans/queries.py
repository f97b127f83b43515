from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, func, select

from app.database import contains, db, fold
from app.errors import NotFound
from app.fans.keys import handle_key
from app.fans.models import Fan, FanTag
from app.paging import Order

SORTS = {
    "-valueCents": Order("-valueCents", Fan.value_cents, Fan.id, descending=True),
    "valueCents": Order("valueCents", Fan.value_cents, Fan.id),
    "name": Order("name", Fan.name_key, Fan.id),
    "-lastSeenAt": Order("-lastSeenAt", Fan.last_seen_at, Fan.id, descending=True),
    "-createdAt": Order("-createdAt", Fan.created_at, Fan.id, descending=True),
}


def search_fans(account_id: int, *, search: str = "", tag: str = "") -> Select[Any]:
    """Fans with `search` in name, handle or e-mail, whatever its case and accents, and with the tag."""
    rows = select(Fan).where(Fan.account_id == account_id)
    if search.strip():
        rows = rows.where(contains(Fan.search_text, fold(search.strip())))
    if tag.strip():
        tagged = select(FanTag.fan_id).where(FanTag.account_id == account_id, FanTag.tag_key == tag.strip().casefold())
        rows = rows.where(Fan.id.in_(tagged))
    return rows


def find_fan(account_id: int, fan_id: int) -> Fan:
    """Raises NotFound."""
    fan = db.session.scalar(select(Fan).where(Fan.account_id == account_id, Fan.id == fan_id))
    if fan is None:
        raise NotFound
    return fan


def find_fans(account_id: int, ids: Iterable[int]) -> dict[int, Fan]:
    rows = select(Fan).where(Fan.account_id == account_id, Fan.id.in_(set(ids)))
    return {fan.id: fan for fan in db.session.scalars(rows)}


def find_by_handle(account_id: int, handle: str | None) -> Fan | None:
    if not handle:
        return None
    return db.session.scalar(select(Fan).where(Fan.account_id == account_id, Fan.handle_key == handle_key(handle)))


def find_by_platform_id(account_id: int, platform: str, platform_fan_id: str) -> Fan | None:
    return db.session.scalar(
        select(Fan).where(
            Fan.account_id == account_id, Fan.platform == platform, Fan.platform_fan_id == platform_fan_id
        )
    )


def tags_of_account(account_id: int, limit: int = 200) -> list[str]:
    """The tags in use, most used first."""
    rows = (
        select(func.min(FanTag.tag))
        .where(FanTag.account_id == account_id)
        .group_by(FanTag.tag_key)
        .order_by(func.count().desc(), FanTag.tag_key)
        .limit(limit)
    )
    return list(db.session.scalars(rows))


def ids_with_tag(account_id: int, tag: str) -> list[int]:
    """Of all fans where no tag is given; the most valuable first."""
    rows = search_fans(account_id, tag=tag).with_only_columns(Fan.id).order_by(Fan.value_cents.desc(), Fan.id)
    return list(db.session.scalars(rows))
