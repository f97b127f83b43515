from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, StringField, TextAreaField
from wtforms.validators import Optional
from wtforms.widgets import HiddenInput

from app.quick_replies.actions import Wording
from app.quick_replies.models import QuickReply


def _clean(value: str | None) -> str:
    """As a browser's form sends it, with Unix line ends."""
    return (value or "").replace("\r\n", "\n").replace("\0", "")


class QuickReplyForm(FlaskForm):
    code = StringField("Code", filters=[_clean])
    title = StringField("Title", filters=[_clean])
    text = TextAreaField("Text", filters=[_clean])
    folder = StringField("Folder", filters=[_clean])
    shared = BooleanField("Everyone in this account can use and change it", default=True)
    version = IntegerField(widget=HiddenInput(), validators=[Optional()])

    def wording(self) -> Wording:
        return Wording(
            code=self.code.data or "",
            title=self.title.data or "",
            text=self.text.data or "",
            folder=self.folder.data or "",
            shared=bool(self.shared.data),
        )


def form_for(reply: QuickReply) -> QuickReplyForm:
    return QuickReplyForm(formdata=None, obj=reply, shared=reply.is_shared)
