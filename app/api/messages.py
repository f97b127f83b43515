"""Bulk messages."""

from app.accounts.guard import account
from app.api import bp
from app.api.drafts import draft_of, renamed
from app.api.schemas.sending import BulkIn, BulkOut, SkippedOut
from app.campaigns import actions, queries
from app.campaigns.actions import Plan


@bp.post("/messages/bulk")
@bp.input(BulkIn)
@bp.output(BulkOut, status_code=202)
def send_bulk(json_data: BulkIn) -> BulkOut:
    with renamed(text="content", attachments="mediaUrls"):
        plan = Plan(json_data.recipient_ids, draft_of(json_data), name=json_data.campaign_name or "")
        campaign = actions.launch(account.id, plan)
    all_metrics = queries.metrics_of([campaign])
    metrics = all_metrics[campaign.id]
    skipped = queries.skipped_of(campaign)
    # Counted at launch: the sender may already be at work, and what it has sent was queued here.
    queued = metrics.recipients - len(skipped)
    return BulkOut(
        campaign_id=campaign.id,
        total_recipients=metrics.recipients,
        queued=queued,
        failed=0,
        skipped=[SkippedOut(fan_id=each.fan_id or 0, reason=each.skip_reason or "") for each in skipped],
        estimated_completion_time=queries.estimated_completions([campaign], all_metrics).get(campaign.id),
        status="queued" if queued else "completed",
    )
