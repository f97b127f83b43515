from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, exists, func, select

from app.database import contains, db, fold, held
from app.errors import NotFound
from app.fans.keys import handle_key
from app.fans.models import Fan, FanTag
from app.fans.names import called
from app.paging import Order, places_of
from app.rare import Rare

USES_COUNTED = 200
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


def rare_fans(account_id: int, rows: Select[Any], order: Order, search: str) -> Rare:
    """How fans of search_fans are found where there may be few of them."""
    found = places_of(rows, Fan.id, order)
    if search.strip():
        found = found.where(Fan.id.in_(called(account_id, fold(search.strip()), email=True)))
    return Rare(Fan.id, select(Fan.id).where(Fan.account_id == account_id), Fan.id, lambda behind: found.where(*behind))


def tagged(account_id: int, tag_key: str) -> Any:
    """With the account: so the database may also begin with the fans who have the tag."""
    return exists().where(FanTag.fan_id == Fan.id, FanTag.account_id == account_id, FanTag.tag_key == tag_key)


def find_fan(account_id: int, fan_id: int, *, to_change: bool = False) -> Fan:
    """to_change: as it stands by now, and held until the commit. Raises NotFound."""
    row = select(Fan).where(Fan.account_id == account_id, Fan.id == fan_id)
    fan = db.session.scalar(held(row) if to_change else row)
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
    """The tags in use, most used first; those that USES_COUNTED fans have are equal, by name."""
    used = select(func.min(FanTag.tag_key).label("tag_key")).where(FanTag.account_id == account_id)
    names = used.cte("names", recursive=True)
    # From each tag to the next by the index: the fans who have it are passed over.
    following = used.where(FanTag.tag_key > names.c.tag_key).correlate(names).scalar_subquery()
    names = names.union_all(select(following).where(names.c.tag_key.is_not(None)))
    those = [FanTag.account_id == account_id, FanTag.tag_key == names.c.tag_key]
    some = select(FanTag.fan_id).where(*those).limit(USES_COUNTED).correlate(names).subquery()
    uses = select(func.count()).select_from(some).scalar_subquery()
    spelt = select(FanTag.tag).where(*those).order_by(FanTag.fan_id).limit(1).correlate(names).scalar_subquery()
    rows = select(spelt).where(names.c.tag_key.is_not(None)).order_by(uses.desc(), names.c.tag_key).limit(limit)
    return list(db.session.scalars(rows))


def ids_with_tag(account_id: int, tag: str) -> list[int]:
    """Of all fans where no tag is given; the most valuable first."""
    rows = search_fans(account_id, tag=tag).with_only_columns(Fan.id).order_by(Fan.value_cents.desc(), Fan.id)
    return list(db.session.scalars(rows))
