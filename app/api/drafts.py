"""What is to be said, from the calls that name its parts in their own way; an error names the part that was sent."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.accounts.guard import account, person
from app.api.schemas.sending import BulkIn, SendIn
from app.conversations.actions import Draft
from app.errors import Invalid
from app.media.actions import as_attachments


def draft_of(body: SendIn | BulkIn) -> Draft:
    """Raises NotFound for a medium that is not the account's."""
    return Draft(
        text=body.content,
        price_cents=body.price_cents,
        attachments=as_attachments(account.id, body.media_urls),
        priority=body.priority,
        author_id=person.id,
    )


@contextmanager
def renamed(**names: str) -> Iterator[None]:
    """Names of the domain's fields, as this call has them."""
    try:
        yield
    except Invalid as error:
        fields = [(_rename(field, names), message) for field, message in error.errors]
        raise Invalid(*fields, status=error.status) from error


def _rename(field: str, names: dict[str, str]) -> str:
    first, dot, rest = field.partition(".")
    return f"{names.get(first, first)}{dot}{rest.removesuffix('.url') if first in names else rest}"
