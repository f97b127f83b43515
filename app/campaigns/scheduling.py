"""What the clock does to campaigns: starts those whose time has come, and stops those whose time is over."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import select

from app.background import do_all
from app.campaigns import actions, drafting, queries
from app.campaigns.models import Campaign, CampaignStatus, LatePolicy
from app.database import db, plain, utcnow, write
from app.errors import Conflict, Invalid, NotFound

log = structlog.get_logger()
IN_TIME = timedelta(minutes=5)  # later than that it is late: nothing ran when it was due
MOST_AT_ONCE = 20
MISSED = "It was due while nothing ran. Send it now, or choose another time."
SKIPPED = "It was due while nothing ran, and was to be skipped then."
TIME_IS_OVER = "Stopped at the time that was set for it."


def start_due() -> None:
    """For the sweep."""
    due = (Campaign.status == plain(CampaignStatus.SCHEDULED)) & (Campaign.scheduled_at <= utcnow())
    do_all(partial(_start_if_due, *each) for each in _campaigns(due))


def _start_if_due(account_id: int, campaign_id: int) -> None:
    try:
        _start_or_miss(account_id, campaign_id)
    except (Conflict, NotFound):  # somebody was quicker
        log.info("schedule_changed", campaign=campaign_id)


def _campaigns(condition: Any) -> list[tuple[int, int]]:
    rows = select(Campaign.account_id, Campaign.id).where(condition).order_by(Campaign.id).limit(MOST_AT_ONCE)
    found = [(row.account_id, row.id) for row in db.session.execute(rows)]
    db.session.commit()
    return found


def _start_or_miss(account_id: int, campaign_id: int) -> None:
    campaign = queries.find_campaign(account_id, campaign_id)
    late = utcnow() - (campaign.scheduled_at or utcnow())
    policy, most = campaign.late_policy, timedelta(hours=campaign.late_hours)
    db.session.rollback()
    if late <= IN_TIME or (policy == LatePolicy.SEND and late <= most):
        try:
            drafting.launch_draft(
                account_id, campaign_id, note="" if late <= IN_TIME else f"Started late, by {_said(late)}."
            )
        except Invalid as error:
            drafting.unschedule(account_id, campaign_id, f"It could not start: {error.errors[0][1]}")
    elif policy == LatePolicy.SKIP:
        actions.cancel(account_id, campaign_id, SKIPPED)
    else:
        drafting.unschedule(account_id, campaign_id, MISSED)


def _said(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


def stop_due() -> None:
    """For the sweep. The outbox itself takes nothing of a campaign whose time is over."""
    over = (Campaign.status == plain(CampaignStatus.ACTIVE)) & (Campaign.stop_at <= utcnow())
    do_all(partial(_stop, *each) for each in _campaigns(over))


def _stop(account_id: int, campaign_id: int) -> None:
    try:
        actions.cancel(account_id, campaign_id, TIME_IS_OVER)
    except Conflict:
        _forget_stop(account_id, campaign_id, utcnow())


def _forget_stop(account_id: int, campaign_id: int, now: datetime) -> None:
    """It has completed before."""
    with write():
        campaign = actions.locked(account_id, campaign_id)
        if campaign.stop_at and campaign.stop_at <= now:
            campaign.stop_at = None
