"""Bulk messages."""

from flask_login import current_user

from app.accounts.guard import account
from app.api import bp
from app.api.fields import renamed
from app.api.schemas.sending import BulkIn, BulkOut, SkippedOut
from app.campaigns import actions, queries
from app.campaigns.actions import Plan
from app.conversations.actions import Draft
from app.media.actions import as_attachments


@bp.post("/messages/bulk")
@bp.input(BulkIn)
@bp.output(BulkOut, status_code=202)
def send_bulk(json_data: BulkIn) -> BulkOut:
    draft = Draft(
        text=json_data.content,
        price_cents=json_data.price_cents,
        attachments=as_attachments(account.id, json_data.media_urls),
        priority=json_data.priority,
        author_id=current_user.id,
    )
    plan = Plan(json_data.recipient_ids, draft, name=json_data.campaign_name or "")
    with renamed(text="content", attachments="mediaUrls"):
        campaign = actions.launch(account.id, plan)
    metrics = queries.metrics_of([campaign])[campaign.id]
    skipped = queries.skipped_of(campaign)
    # Counted at launch: the sender may already be at work, and what it has sent was queued here.
    queued = metrics.recipients - len(skipped)
    return BulkOut(
        campaign_id=campaign.id,
        total_recipients=metrics.recipients,
        queued=queued,
        failed=0,
        skipped=[SkippedOut(fan_id=each.fan_id or 0, reason=each.skip_reason or "") for each in skipped],
        estimated_completion_time=queries.estimated_completion(campaign, metrics),
        status="queued" if queued else "completed",
    )
