"""Launching a campaign and steering it. All its messages are queued rows; the outbox looks at its state each time."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, exists, insert, literal, select, update

from app.accounts import auditing
from app.accounts.auditing import Act
from app.background import later
from app.campaigns import cancelling, queries, stays
from app.campaigns.audience import Audience, Selection, decided
from app.campaigns.draws import WORDING, lot
from app.campaigns.models import Campaign, CampaignStatus, Recipient
from app.campaigns.preparing import AT_ONCE, PAUSE_SECONDS, prepare_set
from app.conversations import actions as conversations
from app.conversations import live, settling
from app.conversations.actions import Draft
from app.conversations.claims import wake
from app.conversations.guards import Guards
from app.conversations.models import Message, MessageStatus
from app.database import UTCDateTime, db, execute, held, table_of, utcnow, write
from app.errors import Conflict, Invalid, NotFound
from app.fans import queries as fans
from app.fans.models import Fan
from app.platforms import queries as platforms
from app.platforms.models import Connection
from app.segments.rules import Group, as_json


@dataclass(frozen=True)
class Plan:
    """What is to be sent, and to whom: to fans named one by one, or to all that a rule finds at launch."""

    fan_ids: Sequence[int]
    draft: Draft
    name: str = ""
    type: str = "bulk_message"
    rule: Group | None = None
    aimed_at: str = ""  # the rule in words
    guards: Guards = field(default_factory=Guards)
    is_template: bool = False

    @property
    def audience(self) -> Audience:
        return Audience(self.rule, tuple(dict.fromkeys(self.fan_ids)))


def launch(account_id: int, plan: Plan) -> Campaign:
    """Freezes the audience: a recipient per fan considered, with the reason where one is left out. A message for each that
    is not; of many a worker makes them, set by set. All or nothing.

    Raises Invalid, naming ids that are not the account's.
    """
    with write() as session:
        _check_ids(account_id, plan)
        connection = platforms.first_connection(account_id, "onlyfans")
        conversations.check_draft(account_id, connection, plan.draft)
        campaign = _new_campaign(account_id, plan)
        session.add(campaign)
        session.flush()
        noted = start(campaign, plan.audience, connection)
        record(campaign, Act.CAMPAIGN_LAUNCHED)
    tell_started(campaign, noted)
    return campaign


def _check_ids(account_id: int, plan: Plan) -> None:
    if plan.rule is None:
        found = fans.find_fans(account_id, plan.fan_ids)
        if strangers := [str(fan_id) for fan_id in dict.fromkeys(plan.fan_ids) if fan_id not in found]:
            raise Invalid(("recipientIds", f"No fans of this account: {', '.join(strangers)}."))


def _new_campaign(account_id: int, plan: Plan) -> Campaign:
    return Campaign(
        account_id=account_id,
        connection_id=None,
        name=plan.name or f"Message to {len(set(plan.fan_ids))} fans",
        type=plan.type,
        content=plan.draft.text,
        attachments=plan.draft.attachments,
        price_cents=plan.draft.price_cents,
        priority=plan.draft.priority,
        audience=audience_as_json(plan.audience, plan.aimed_at),
        guards=plan.guards.as_json(),
        is_template=plan.is_template,
        author_id=plan.draft.author_id,
    )


def audience_as_json(audience: Audience, words: str) -> dict[str, Any]:
    if audience.rule is None:
        return {"fanIds": sorted(audience.fan_ids)}
    return {"rule": as_json(audience.rule), "words": words}


def start(campaign: Campaign, audience: Audience, connection: Connection | None) -> list[live.Noted]:
    """Freezes the audience, and makes the messages where they are few. Does not commit. Raises Invalid for an empty one."""
    campaign.connection_id = connection.id if connection else None
    campaign.status, campaign.started_at, campaign.note = CampaignStatus.ACTIVE, utcnow(), ""
    db.session.flush()
    considered = consider(campaign, decided(selection_of(campaign, audience, connection)))
    if not considered:
        raise Invalid(("recipientIds", "No fan would get this."))
    return (prepare_set(campaign.id) or []) if considered <= AT_ONCE else []


def selection_of(campaign: Campaign, audience: Audience, connection: Connection | None) -> Selection:
    return Selection(
        campaign.account_id,
        audience,
        connection,
        Guards.of(campaign.guards),
        campaign.attachments,
        campaign.id,
        campaign.holdout_percent,
        campaign.at_most,
    )


def consider(campaign: Campaign, found: Any, *, nth: Any = 1) -> int:
    """A recipient for each fan of `found` (`fan_id`, `reason`; decided), in one statement. Returns how many. Does not commit."""
    rows, several = found.subquery(), len(campaign.texts)
    values = {
        "account_id": literal(campaign.account_id),
        "campaign_id": literal(campaign.id),
        "fan_id": rows.c.fan_id,
        "skip_reason": rows.c.reason,
        "wording": lot(campaign.id, rows.c.fan_id, WORDING) % several if several > 1 else literal(0),
        "nth": literal(nth) if isinstance(nth, int) else nth(rows.c.fan_id),
        "created_at": literal(utcnow(), UTCDateTime),
    }
    chosen = select(*values.values()).select_from(rows)
    return execute(insert(table_of(Recipient)).from_select(list(values), chosen, include_defaults=False))


def tell_started(campaign: Campaign, noted: list[live.Noted]) -> None:
    """After the commit."""
    later("prepare_campaign", campaign.id)
    live.tell(noted)
    wake(campaign.account_id)


def pause(account_id: int, campaign_id: int) -> Campaign:
    allowed = (CampaignStatus.ACTIVE,)
    return _change(account_id, campaign_id, CampaignStatus.PAUSED, Act.CAMPAIGN_PAUSED, allowed=allowed)


def resume(account_id: int, campaign_id: int) -> Campaign:
    allowed = (CampaignStatus.PAUSED,)
    campaign = _change(account_id, campaign_id, CampaignStatus.ACTIVE, Act.CAMPAIGN_RESUMED, allowed=allowed)
    wake(account_id)
    return campaign


def cancel(account_id: int, campaign_id: int, note: str = "") -> Campaign:
    """What waits is cancelled, of many by a worker, set by set; what is on its way still gets its answer."""
    allowed = (CampaignStatus.SCHEDULED, CampaignStatus.ACTIVE, CampaignStatus.PAUSED)
    with write():
        campaign = locked(account_id, campaign_id)
        require(campaign, allowed)
        campaign.status, campaign.note = CampaignStatus.CANCELLED, note
        record(campaign, Act.CAMPAIGN_CANCELLED)
        stays.forget_stays(campaign)
        _, noted = cancelling.cancel_set(campaign.id)
    live.tell(noted)
    later("cancel_waiting", campaign.id)
    return campaign


def retry_failed(account_id: int, campaign_id: int) -> Campaign:
    """Queues the failed ones again, and only them. Raises NotFound, Conflict."""
    may_be_messaged = exists().where(Fan.id == Message.fan_id, Fan.do_not_message.is_(False))

    def retry(campaign: Campaign, after: int) -> Sequence[Any]:
        if campaign.status not in (CampaignStatus.ACTIVE, CampaignStatus.PAUSED):
            raise Conflict(f"This campaign is {campaign.status}.")
        failed = _next_of(campaign, MessageStatus.FAILED, after).where(may_be_messaged)
        return settling.requeue_all_failed(failed, campaign.connection_id) if campaign.connection_id else []

    nothing = "Nothing of this campaign has failed that may be sent again."
    campaign = _in_sets(account_id, campaign_id, retry, Act.CAMPAIGN_RETRIED, nothing)
    wake(account_id)
    return campaign


def settle_unknown(account_id: int, campaign_id: int, *, arrived: bool) -> Campaign:
    """A person saw on the platform what became of them: all arrived, or none did. Raises NotFound, Conflict."""

    def settle(campaign: Campaign, after: int) -> Sequence[Any]:
        return settling.decide_all(_next_of(campaign, MessageStatus.UNKNOWN, after), arrived=arrived)

    return _in_sets(account_id, campaign_id, settle, Act.CAMPAIGN_SETTLED, "Nothing of this campaign is unknown.")


def _next_of(campaign: Campaign, status: str, after: int) -> Select[int]:
    of_it = (Message.campaign_id == campaign.id) & (Message.status == status)
    return select(Message.id).where(of_it, Message.id > after).order_by(Message.id).limit(AT_ONCE)


def _in_sets(
    account_id: int, campaign_id: int, change: Callable[[Campaign, int], Sequence[Any]], act: Act, nothing: str
) -> Campaign:
    """Changes messages set by set, each in a short transaction of its own, so that others write in between. Each comes once,
    also where it stands by then as it stood before. Whoever dies here leaves the rest to who presses again.

    change: given the campaign, which is held, and the id of the last message; does not commit. Raises Conflict, saying
    `nothing`, where the first set is empty.
    """
    last = 0
    while True:
        with write():
            campaign = locked(account_id, campaign_id)
            changed = change(campaign, last)
            if not last:
                if not changed:
                    raise Conflict(nothing)
                record(campaign, act)
            noted = live.note_in_threads(changed)
        live.tell(noted)
        if len(changed) < AT_ONCE:
            return campaign
        last = changed[-1].id
        time.sleep(PAUSE_SECONDS)


def _change(account_id: int, campaign_id: int, status: str, act: Act, *, allowed: tuple[str, ...]) -> Campaign:
    with write() as session:
        campaign = locked(account_id, campaign_id)
        require(campaign, allowed)
        session.execute(update(Campaign).where(Campaign.id == campaign.id).values(status=status, note=""))
        record(campaign, act)
    return campaign


def record(campaign: Campaign, act: Act) -> None:
    """In the audit log. Does not commit."""
    auditing.record(campaign.account_id, act, "campaign", campaign.id, campaign.name or "Untitled")


def locked(account_id: int, campaign_id: int) -> Campaign:
    """Two people pressing at once wait for each other: the second sees what the first did. Raises NotFound."""
    campaign = db.session.scalar(held(queries.campaigns_of(account_id).where(Campaign.id == campaign_id)))
    if campaign is None:
        raise NotFound
    return campaign


def require(campaign: Campaign, allowed: tuple[str, ...]) -> None:
    """Raises Conflict."""
    status = queries.status_of(campaign, queries.metrics_of([campaign])[campaign.id])
    if status not in allowed:
        raise Conflict(f"This campaign is {status}.")
