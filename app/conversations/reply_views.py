"""The quick replies for an answer, filled in for the fan whom it goes to."""

from flask import render_template, request
from flask_login import current_user

from app.accounts.guard import account
from app.conversations import queries
from app.conversations.views import bp
from app.quick_replies import queries as quick_replies

MOST_OFFERED = 100


@bp.get("/messages/onlyfans/<id:conversation_id>/replies")
def replies(conversation_id: int) -> str:
    """The composer's list; without JavaScript a page of links that lead back to the composer."""
    conversation = queries.find_conversation(account.id, conversation_id)
    search = request.args.get("q", "").replace("\0", "")[:200]
    found = quick_replies.offered(account.id, current_user.id, search, MOST_OFFERED + 1)
    return render_template(
        "conversations/_replies.html" if request.headers.get("HX-Request") else "conversations/replies.html",
        conversation=conversation,
        search=search,
        replies=[(reply, quick_replies.filled_in(reply, conversation.fan)) for reply in found[:MOST_OFFERED]],
        more=len(found) > MOST_OFFERED,
    )
