from flask import request

from app.accounts.guard import account
from app.api import bp
from app.api.schemas.files import MediumOut
from app.errors import Invalid
from app.media import actions


@bp.post("/media")
@bp.output(MediumOut, status_code=201)
def store_medium() -> MediumOut:
    """Multipart, field `file`: a picture, video or sound, known by its content."""
    file = request.files.get("file")
    if file is None:
        raise Invalid(("file", "Send the file as the multipart field `file`."))
    medium = actions.store_medium(account.id, file.filename or "", file.stream)
    return MediumOut(id=medium.id, url=medium.url, type=medium.kind, name=medium.name, size=medium.size)
