"""The inbox and searches under a name: a person's own, and those that everybody in the account sees."""

from sqlalchemy import bindparam, select

from app.accounts.models import Account
from app.conversations.models import SavedView
from app.database import db, write
from app.errors import Invalid, NotFound

MOST_VIEWS = 50
LONGEST_NAME = 60


def seen_by(account_id: int, user_id: int) -> list[SavedView]:
    return list(db.session.scalars(_IN_ORDER, {"account_id": account_id, "user_id": user_id}))


def find_view(account_id: int, user_id: int, view_id: int) -> SavedView:
    """Raises NotFound, also for what is another person's own."""
    rows = _SEEN_BY.where(SavedView.id == view_id)
    found = db.session.scalar(rows, {"account_id": account_id, "user_id": user_id})
    if found is None:
        raise NotFound
    return found


_SEEN_BY = select(SavedView).where(
    SavedView.account_id == bindparam("account_id"),
    SavedView.owner_id.is_(None) | (SavedView.owner_id == bindparam("user_id")),
)
_IN_ORDER = _SEEN_BY.order_by(SavedView.name_key, SavedView.id)


def save_view(
    account_id: int, user_id: int, *, name: str, is_shared: bool, place: str, address: dict[str, str]
) -> SavedView:
    """Raises Invalid, naming the field."""
    if not address:
        raise Invalid(("name", "Choose a filter or search for something first: this is what everybody sees anyway."))
    with write() as session:
        _lock(account_id)
        standing = seen_by(account_id, user_id)
        if len(standing) >= MOST_VIEWS:
            raise Invalid(("name", f"There are {MOST_VIEWS} views already. Delete one first."))
        clean = _clean(name, standing)
        view = SavedView(
            account_id=account_id,
            owner_id=None if is_shared else user_id,
            name=clean,
            name_key=clean.casefold(),
            place=place,
            address=address,
        )
        session.add(view)
        return view


def rename_view(account_id: int, user_id: int, view_id: int, name: str) -> None:
    """Raises NotFound, Invalid."""
    with write():
        _lock(account_id)
        view = find_view(account_id, user_id, view_id)
        view.name = _clean(name, [each for each in seen_by(account_id, user_id) if each.id != view_id])
        view.name_key = view.name.casefold()


def remove_view(account_id: int, user_id: int, view_id: int) -> None:
    """Raises NotFound."""
    with write() as session:
        session.delete(find_view(account_id, user_id, view_id))


def _lock(account_id: int) -> None:
    """Two who save in one moment wait for each other, so that no name stands twice."""
    db.session.execute(select(Account.id).where(Account.id == account_id).with_for_update(key_share=True))


def _clean(name: str, others: list[SavedView]) -> str:
    clean = " ".join(name.replace("\0", "").split())
    if not clean:
        raise Invalid(("name", "Give it a name."))
    if len(clean) > LONGEST_NAME:
        raise Invalid(("name", f"A name has at most {LONGEST_NAME} characters."))
    if clean.casefold() in {each.name_key for each in others}:
        raise Invalid(("name", f"There is a view called “{clean}” already."))
    return clean
