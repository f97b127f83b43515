from datetime import datetime

from app.accounts.guard import account
from app.api import bp
from app.api.schemas.base import PageQuery
from app.api.schemas.campaigns import CampaignOut, CampaignsOut, MetricsOut, RecipientsOut, RecipientsQuery, TemplateOut
from app.campaigns import actions, queries
from app.campaigns.ledger import ledger_lines
from app.campaigns.models import Campaign
from app.campaigns.queries import Metrics
from app.paging import fetch_page


@bp.get("/campaigns")
@bp.input(PageQuery, location="query")
@bp.output(CampaignsOut)
def list_campaigns(query_data: PageQuery) -> CampaignsOut:
    rows = queries.campaigns_of(account.id)
    page = fetch_page(rows, queries.NEWEST_FIRST, limit=query_data.limit, cursor=query_data.cursor)
    return CampaignsOut(campaigns=_shown(page.rows), total=page.total, next_cursor=page.next_cursor)


@bp.get("/campaigns/<id:campaign_id>")
@bp.output(CampaignOut)
def show_campaign(campaign_id: int) -> CampaignOut:
    return _show(queries.find_campaign(account.id, campaign_id))


@bp.get("/campaigns/<id:campaign_id>/recipients")
@bp.input(RecipientsQuery, location="query")
@bp.output(RecipientsOut)
def list_recipients(campaign_id: int, query_data: RecipientsQuery) -> RecipientsOut:
    campaign = queries.find_campaign(account.id, campaign_id)
    rows = queries.recipients_of(campaign, query_data.status)
    page = fetch_page(rows, queries.IN_ORDER, limit=query_data.limit, cursor=query_data.cursor)
    return RecipientsOut.model_validate(
        {"recipients": ledger_lines(page.rows), "total": page.total, "next_cursor": page.next_cursor}
    )


@bp.post("/campaigns/<id:campaign_id>/pause")
@bp.output(CampaignOut)
def pause_campaign(campaign_id: int) -> CampaignOut:
    return _show(actions.pause(account.id, campaign_id))


@bp.post("/campaigns/<id:campaign_id>/resume")
@bp.output(CampaignOut)
def resume_campaign(campaign_id: int) -> CampaignOut:
    return _show(actions.resume(account.id, campaign_id))


@bp.post("/campaigns/<id:campaign_id>/cancel")
@bp.output(CampaignOut)
def cancel_campaign(campaign_id: int) -> CampaignOut:
    return _show(actions.cancel(account.id, campaign_id))


@bp.post("/campaigns/<id:campaign_id>/retry-failed")
@bp.output(CampaignOut)
def retry_failed_of_campaign(campaign_id: int) -> CampaignOut:
    return _show(actions.retry_failed(account.id, campaign_id))


def _show(campaign: Campaign) -> CampaignOut:
    return _shown([campaign])[0]


def _shown(campaigns: list[Campaign]) -> list[CampaignOut]:
    metrics = queries.metrics_of(campaigns)
    ends = queries.estimated_completions(campaigns, metrics)
    return [_shown_one(campaign, metrics[campaign.id], ends.get(campaign.id)) for campaign in campaigns]


def _shown_one(campaign: Campaign, metrics: Metrics, ends_at: datetime | None) -> CampaignOut:
    return CampaignOut(
        id=campaign.id,
        name=campaign.name,
        type=campaign.type,
        status=queries.status_of(campaign, metrics),
        template=TemplateOut(
            content=campaign.content,
            media_urls=[each["url"] for each in campaign.attachments],
            price_cents=campaign.price_cents,
        ),
        target_audience=campaign.audience,
        metrics=MetricsOut.model_validate(metrics),
        scheduled_at=campaign.scheduled_at,
        started_at=queries.started_at(campaign),
        completed_at=queries.completed_at(campaign, metrics),
        estimated_completion_time=ends_at,
    )
