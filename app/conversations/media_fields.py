from functools import cached_property

from flask import request
from werkzeug.datastructures import FileStorage
from wtforms import MultipleFileField, StringField, ValidationError

from app.accounts.guard import account
from app.dollars import DollarField
from app.errors import Invalid, NotFound
from app.media.actions import Attachment, as_attachments, store_from_address, store_upload
from app.platforms.queries import find_price_range


class WithMedia:
    """A composer's media: those chosen of what is kept, and files that come along with the form.

    What came along is kept and chosen, whatever else is wrong with the form: nobody uploads a file twice.
    """

    price: DollarField
    files = MultipleFileField("Pictures, videos, sounds")
    address = StringField()  # of a file that is to be fetched: by a button of its own, never along with something else
    chosen: list[Attachment] = []

    def validate_files(self, field: MultipleFileField) -> None:
        try:
            self.chosen = chosen_media()
            for file in field.data or []:
                if isinstance(file, FileStorage) and file.filename:
                    self.chosen = [*self.chosen, store_upload(account.id, file)]
        except Invalid as error:
            raise ValidationError(" ".join(message for _, message in error.errors)) from error
        except NotFound as error:
            raise ValidationError("A file that was chosen is no longer here.") from error

    def attach_from_address(self) -> None:
        """What is wrong with it stands beside the field."""
        try:
            self.chosen = [*self.chosen, store_from_address(account.id, (self.address.data or "").strip())]
        except Invalid as error:
            self.address.errors = [message for _, message in error.errors]
        else:
            self.address.data = ""

    def is_address_left(self) -> bool:
        """Whether an address was typed and not fetched: then nothing goes without its file. It is said beside the field."""
        if not (self.address.data or "").strip():
            return False
        self.address.errors = ["This is not attached yet: fetch it first, or empty the field."]
        return True

    def attachments(self) -> list[Attachment]:
        """As they are sent: without a price nothing is a preview."""
        if self.price_cents():
            return self.chosen
        return [{name: value for name, value in each.items() if name != "preview"} for each in self.chosen]

    def price_cents(self) -> int:
        return self.price.cents

    @cached_property
    def price_range(self) -> tuple[int, int]:
        """In cents, of a paid message."""
        return find_price_range(account.id, "onlyfans")


def chosen_media() -> list[Attachment]:
    """What the form or the address names, each once. Raises NotFound where one is not the account's."""
    addresses = dict.fromkeys(request.values.getlist("media"))
    dropped = request.values.get("drop")
    previews = set(request.values.getlist("preview"))
    found = as_attachments(account.id, [each for each in addresses if each != dropped])
    return [each | {"preview": True} if each["url"] in previews else each for each in found]
