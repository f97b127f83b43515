from sqlalchemy import select

from app.database import db
from app.errors import NotFound
from app.media.models import Medium


def find_medium(account_id: int, medium_id: int) -> Medium:
    """Raises NotFound."""
    found = db.session.scalar(select(Medium).where(Medium.account_id == account_id, Medium.id == medium_id))
    if found is None:
        raise NotFound
    return found
