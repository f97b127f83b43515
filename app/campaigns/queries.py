from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, case, func, literal, or_, select, union_all

from app.accounts.models import Account
from app.campaigns.models import Campaign, CampaignStatus, Recipient
from app.conversations import forecast
from app.conversations.guards import Guards, without_quiet_hours
from app.conversations.models import WENT_OUT, Message, MessageStatus
from app.database import contains, db, fold, utcnow
from app.errors import NotFound
from app.fans.models import Fan
from app.money.models import Transaction
from app.money.queries import COUNTED
from app.paging import Order
from app.platforms.models import Connection

NEWEST_FIRST = Order("-createdAt", Campaign.created_at, Campaign.id, descending=True)
RECIPIENT_STATUS = case(
    (Recipient.skip_reason.is_not(None), literal("skipped")),
    else_=func.coalesce(Message.status, literal("queued")),  # whose message is still to be made, waits
)
IN_ORDER = Order("id", Recipient.id, Recipient.id)


@dataclass(frozen=True)
class Metrics:
    """Counted from the rows: recipients = queued + sending + sent + failed + unknown + skipped + cancelled.

    `sent` holds all that went out; delivered, opened and purchased are parts of it. No platform tells of clicks.
    """

    recipients: int = 0
    queued: int = 0
    sending: int = 0
    sent: int = 0
    failed: int = 0
    unknown: int = 0
    skipped: int = 0
    cancelled: int = 0
    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    purchased: int = 0
    revenue_cents: int = 0
    unprepared: int = 0  # of those queued: their messages are still to be made
    last_outcome_at: datetime | None = None  # when the latest message went out, or was known not to

    @property
    def pending(self) -> int:
        return self.queued + self.sending


def campaigns_of(account_id: int) -> Select[Any]:
    return select(Campaign).where(Campaign.account_id == account_id)


def find_campaign(account_id: int, campaign_id: int) -> Campaign:
    """Raises NotFound."""
    found = db.session.scalar(campaigns_of(account_id).where(Campaign.id == campaign_id))
    if found is None:
        raise NotFound
    return found


def metrics_of(campaigns: Iterable[Campaign]) -> dict[int, Metrics]:
    """By campaign id; a few grouped counts for any number of campaigns, of messages from indexes alone."""
    ids = [campaign.id for campaign in campaigns]
    messages, bought = _by_status(ids), _by_status(ids, Message.purchased)
    of_each: dict[int, dict[str, Any]] = {campaign_id: {} for campaign_id in ids}
    for counts in (_recipient_counts(ids), _revenue(ids), _last_outcomes(ids)):
        for row in db.session.execute(counts):
            of_each[row.campaign_id] |= {name: value for name, value in row._mapping.items() if name != "campaign_id"}
    return {each: _metrics(messages[each], bought[each], **of_each[each]) for each in ids}


def _by_status(ids: list[int], *those: Any) -> dict[int, Counter[str]]:
    rows = select(Message.campaign_id, Message.status, func.count()).where(Message.campaign_id.in_(ids), *those)
    found: dict[int, Counter[str]] = {campaign_id: Counter() for campaign_id in ids}
    for campaign_id, status, number in db.session.execute(rows.group_by(Message.campaign_id, Message.status)):
        found[campaign_id or 0][status] = number
    return found


def _metrics(
    by_status: Counter[str],
    bought: Counter[str],
    *,
    skipped: int = 0,
    unprepared: int = 0,
    revenue_cents: int = 0,
    **outcomes: datetime | None,
) -> Metrics:
    return Metrics(
        recipients=by_status.total() + skipped + unprepared,
        queued=by_status[MessageStatus.QUEUED] + unprepared,
        sending=by_status[MessageStatus.SENDING],
        sent=sum(by_status[each] for each in WENT_OUT),
        failed=by_status[MessageStatus.FAILED],
        unknown=by_status[MessageStatus.UNKNOWN],
        skipped=skipped,
        cancelled=by_status[MessageStatus.CANCELLED],
        delivered=by_status[MessageStatus.DELIVERED] + by_status[MessageStatus.READ],
        opened=by_status[MessageStatus.READ],
        purchased=sum(bought[each] for each in WENT_OUT),
        revenue_cents=int(revenue_cents),
        unprepared=unprepared,
        last_outcome_at=max(filter(None, outcomes.values()), default=None),
    )


def _last_outcomes(ids: list[int]) -> Select[*tuple[Any, ...]]:
    """When the latest of each went out, and when the latest was known not to. What was cancelled with its campaign, perhaps
    a hundred thousand in one moment, had no outcome of its own."""

    def latest(at: Any, *those: Any) -> Any:
        return select(func.max(at)).where(Message.campaign_id == Campaign.id, *those).scalar_subquery()

    sent = latest(Message.sent_at, Message.sent_at.is_not(None))
    not_sent = latest(Message.changed_at, Message.status.in_((MessageStatus.FAILED, MessageStatus.UNKNOWN)))
    cancelled = latest(Message.changed_at, Message.status == MessageStatus.CANCELLED)
    return select(
        Campaign.id.label("campaign_id"),
        sent.label("last_sent_at"),
        not_sent.label("last_failed_at"),
        case((Campaign.status != CampaignStatus.CANCELLED, cancelled)).label("last_cancelled_at"),
    ).where(Campaign.id.in_(ids))


def _recipient_counts(ids: list[int]) -> Select[int, int, int]:
    """Of those who have no message: left out, and not prepared yet."""
    left_out = Recipient.skip_reason.is_not(None)
    return (
        select(
            Recipient.campaign_id,
            func.count().filter(left_out).label("skipped"),
            func.count().filter(~left_out).label("unprepared"),
        )
        .where(Recipient.campaign_id.in_(ids), Recipient.message_id.is_(None))
        .group_by(Recipient.campaign_id)
    )


def _revenue(ids: list[int]) -> Select[Any, Any]:
    return (
        select(Message.campaign_id, func.sum(Transaction.gross_cents).label("revenue_cents"))
        .join(Transaction, Transaction.message_id == Message.id)
        .where(Message.campaign_id.in_(ids), COUNTED)
        .group_by(Message.campaign_id)
    )


def status_of(campaign: Campaign, metrics: Metrics) -> str:
    """An active campaign is completed when nothing of it is queued or sending; an automatic one waits for more."""
    done = campaign.status == CampaignStatus.ACTIVE and metrics.pending == 0 and not campaign.trigger
    return CampaignStatus.COMPLETED if done else campaign.status


def started_at(campaign: Campaign) -> datetime | None:
    return None if is_to_come(campaign) else campaign.started_at


def completed_at(campaign: Campaign, metrics: Metrics) -> datetime | None:
    """When its last message went out, or was known not to."""
    if status_of(campaign, metrics) != CampaignStatus.COMPLETED:
        return None
    return metrics.last_outcome_at or campaign.started_at


def estimated_completions(campaigns: Iterable[Campaign], metrics: dict[int, Metrics]) -> dict[int, datetime]:
    """By campaign id; nothing where nothing waits, or while it is unknown how long a pause lasts."""
    waiting = [each for each in campaigns if each.status == CampaignStatus.ACTIVE and metrics[each.id].pending]
    times: dict[int, datetime] = {}
    for connection_id in {each.connection_id for each in waiting if each.connection_id}:
        connection = db.session.get_one(Connection, connection_id)
        times |= forecast.completion_times(connection, _still_to_make(waiting, metrics))
    now = utcnow()
    return {each.id: after_quiet_hours(each, times.get(each.id, now), now) for each in waiting}


def _still_to_make(campaigns: list[Campaign], metrics: dict[int, Metrics]) -> list[forecast.More]:
    return [
        forecast.More(each.id, each.priority, metrics[each.id].unprepared)
        for each in campaigns
        if metrics[each.id].unprepared
    ]


def after_quiet_hours(campaign: Campaign, ends_at: datetime, now: datetime) -> datetime:
    """What is reckoned without the quiet hours, with them: as the account's clock has them."""
    guards = Guards.of(campaign.guards)
    if not guards.is_quiet_kept:
        return ends_at
    zone = db.session.scalar(select(Account.timezone).where(Account.id == campaign.account_id)) or "UTC"
    return without_quiet_hours(guards, zone, now, ends_at - now)


def sent_in_last_minute(campaign: Campaign) -> int:
    """Messages that went out."""
    since = utcnow() - timedelta(minutes=1)
    rows = select(func.count()).where(Message.campaign_id == campaign.id, Message.status.in_(WENT_OUT))
    return db.session.scalar(rows.where(Message.sent_at > since)) or 0


def is_open(campaign: Campaign) -> bool:
    """Whether it can still be changed in the composer."""
    return campaign.status == CampaignStatus.DRAFT


def is_to_come(campaign: Campaign) -> bool:
    """Whether its audience is not frozen yet."""
    return campaign.status in (CampaignStatus.DRAFT, CampaignStatus.SCHEDULED)


WORDS = {"active": "running"}


def stands(campaign: Campaign) -> str:
    """Its state in a sentence."""
    return WORDS.get(campaign.status, campaign.status)


COUNTED_AS = {"sent": WENT_OUT, "delivered": (MessageStatus.DELIVERED, MessageStatus.READ)}  # as the figures count


def recipients_of(campaign: Campaign, status: str = "", reason: str = "", search: str = "") -> Select[Any]:
    """`search`: in the fan's name, handle or e-mail."""
    rows = (
        select(Recipient)
        .outerjoin(Message, Recipient.message_id == Message.id)
        .where(Recipient.account_id == campaign.account_id, Recipient.campaign_id == campaign.id)
    )
    if status:
        rows = rows.where(RECIPIENT_STATUS.in_(COUNTED_AS.get(status, (status,))))
    if reason:
        rows = rows.where(or_(Recipient.skip_reason == reason, Message.status_reason == reason))
    if search.strip():
        rows = rows.join(Fan, Recipient.fan_id == Fan.id).where(contains(Fan.search_text, fold(search.strip())))
    return rows


def reasons_in(campaign: Campaign, most: int) -> list[tuple[str, int]]:
    """Why fans did not get it, or not yet, with how many of them; the most frequent first."""
    left_out = select(Recipient.skip_reason.label("reason"), func.count().label("fans")).where(
        Recipient.campaign_id == campaign.id, Recipient.skip_reason.is_not(None)
    )
    told = select(Message.status_reason, func.count()).where(
        Message.campaign_id == campaign.id, Message.status_reason.is_not(None)
    )
    both = union_all(left_out.group_by(Recipient.skip_reason), told.group_by(Message.status_reason)).subquery()
    fans = func.sum(both.c.fans)
    rows = select(both.c.reason, fans).group_by(both.c.reason).order_by(fans.desc(), both.c.reason).limit(most)
    return [(reason, int(count)) for reason, count in db.session.execute(rows)]


CANCELLED_BEFORE = "campaign_cancelled"


def skipped_of(campaign: Campaign) -> list[Recipient]:
    rows = select(Recipient).where(Recipient.campaign_id == campaign.id, Recipient.skip_reason.is_not(None))
    return list(db.session.scalars(rows.order_by(Recipient.id)))
