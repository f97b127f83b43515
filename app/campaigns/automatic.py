"""Automatic campaigns: they turn to a fan who subscribes, comes into a segment, or buys.

Nothing is hooked into what happens: the database is looked at every few seconds for fans to whom it has happened and to
whom the campaign has not turned yet. So a worker that dies, or looks twice, neither forgets nor repeats anybody.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import exists, func, or_, select
from sqlalchemy.exc import IntegrityError

from app.background import do_all, later
from app.campaigns import actions, stays
from app.campaigns.aims import find_aim
from app.campaigns.audience import Audience, decided
from app.campaigns.drafting import WAS_IN_BEFORE
from app.campaigns.models import Campaign, CampaignStatus, Recipient, Trigger
from app.database import db, on_postgresql, plain, utcnow, write
from app.fans.models import Fan
from app.money.models import Transaction
from app.money.queries import BOUGHT
from app.platforms.queries import first_connection

EVERY = {  # how often is looked
    Trigger.SUBSCRIPTION: timedelta(seconds=2),
    Trigger.PURCHASE: timedelta(seconds=2),
    Trigger.SEGMENT: timedelta(seconds=30),
}
AUDIENCE_GONE = "Its audience is no longer there: it writes to nobody. End it, and make another like it."


def look_for_fans() -> None:
    """For the sweep."""
    now = utcnow()
    due = or_(*((Campaign.trigger == each) & (Campaign.looked_at <= now - span) for each, span in EVERY.items()))
    rows = select(Campaign.id).where(
        Campaign.status == plain(CampaignStatus.ACTIVE), Campaign.trigger != plain(""), due
    )
    campaigns = list(db.session.scalars(rows))
    db.session.commit()
    do_all(partial(_look, campaign_id) for campaign_id in campaigns)


def _look(campaign_id: int) -> None:
    try:
        turn_to_fans(campaign_id)
    except IntegrityError:  # another worker looked in the same moment
        db.session.rollback()


def turn_to_fans(campaign_id: int) -> int:
    """A recipient for each fan to whom it has happened. Returns how many."""
    with write() as session:
        campaign = session.get(Campaign, campaign_id, with_for_update={"key_share": True}, populate_existing=True)
        if campaign is None or campaign.status != CampaignStatus.ACTIVE or not campaign.trigger:
            return 0
        now = utcnow()
        turned = _turn(campaign, now)
        campaign.looked_at = now
    if turned:
        later("prepare_campaign", campaign_id)
    return turned


def _turn(campaign: Campaign, now: datetime) -> int:
    aim = find_aim(campaign.account_id, campaign.aim)
    if aim.wrong:
        campaign.note = AUDIENCE_GONE
        return 0
    if campaign.trigger == Trigger.SEGMENT:
        stays.note_stays(campaign, Audience(aim.rule).holds(campaign.account_id), now)
    left = _left_of(campaign)
    if left == 0:
        return 0
    audience = Audience(aim.rule, also=(_happened(campaign), ~_has_had_it(campaign)))
    selection = actions.selection_of(campaign, audience, first_connection(campaign.account_id, "onlyfans"))
    found = decided(replace(selection, at_most=left)).order_by(None)
    if on_postgresql():  # it may look through what it writes to, while that grows, once for each: all are found before
        found = select(found.cte().prefix_with("MATERIALIZED"))
    return actions.consider(campaign, found, nth=lambda fan_id: _times(campaign, fan_id) + 1)


def _left_of(campaign: Campaign) -> int | None:
    """How many messages it may still make; None: as many as there are."""
    if campaign.at_most is None:
        return None
    made = select(func.count()).where(Recipient.campaign_id == campaign.id, Recipient.skip_reason.is_(None))
    return max(campaign.at_most - (db.session.scalar(made) or 0), 0)


def _happened(campaign: Campaign) -> Any:
    """Since it was switched on."""
    if campaign.trigger == Trigger.PURCHASE:  # those few are looked up first, not each fan's payments
        of_account = (Transaction.account_id == campaign.account_id) & (Transaction.at > campaign.started_at)
        return Fan.id.in_(select(Transaction.fan_id).where(of_account, BOUGHT))
    return _happened_after(campaign, Fan.id, campaign.started_at)


def _happened_after(campaign: Campaign, fan_id: Any, moment: Any) -> Any:
    if campaign.trigger == Trigger.SUBSCRIPTION:
        return Fan.subscribed_at > moment
    if campaign.trigger == Trigger.SEGMENT:
        return stays.came_in_after(campaign, fan_id, moment)
    theirs = (Transaction.account_id == campaign.account_id) & (Transaction.fan_id == fan_id)
    return exists().where(theirs, BOUGHT, Transaction.at > moment)


def _has_had_it(campaign: Campaign) -> Any:
    """Once for each fan; or again after so many days, if it has happened again since."""
    turned = (Recipient.campaign_id == campaign.id) & (Recipient.fan_id == Fan.id)
    before = exists().where(turned, Recipient.skip_reason.is_distinct_from(WAS_IN_BEFORE))
    if campaign.again_after_days is None:
        return before
    lately = before.where(Recipient.created_at > utcnow() - timedelta(days=campaign.again_after_days))
    unprepared = before.where(Recipient.message_id.is_(None), Recipient.skip_reason.is_(None))
    return or_(lately, unprepared, before.where(~_happened_after(campaign, Recipient.fan_id, Recipient.created_at)))


def _times(campaign: Campaign, fan_id: Any) -> Any:
    """How often it has turned to the fan."""
    rows = select(func.count()).where(Recipient.campaign_id == campaign.id, Recipient.fan_id == fan_id)
    return rows.scalar_subquery()
