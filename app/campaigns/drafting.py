"""A campaign while it is written: kept as one types, launched once, or scheduled, or switched on."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, literal, select

from app.accounts.auditing import Act
from app.campaigns import actions, aims, queries, stays
from app.campaigns.audience import Audience, Selection, outlook
from app.campaigns.models import Campaign, CampaignStatus, LatePolicy, Trigger
from app.conversations import actions as conversations
from app.conversations import live
from app.conversations.actions import Draft
from app.conversations.guards import Guards
from app.database import db, execute, held, insert, table_of, utcnow, write
from app.errors import Conflict, Invalid, NotFound
from app.fans import queries as fans
from app.fans.models import Fan
from app.fans.placeholders import parse
from app.platforms import queries as platforms
from app.platforms.models import Connection

WAS_IN_BEFORE = "was_in_before"
NAMELESS = "Give it a name, to find it again."


@dataclass(frozen=True)
class Composition:
    """All that the composer says."""

    name: str
    type: str
    aim: str
    content: str
    wordings: list[str] = field(default_factory=list)
    price_cents: int = 0
    attachments: list[dict[str, Any]] = field(default_factory=list)
    priority: int = 5
    guards: Guards = field(default_factory=Guards)
    holdout_percent: int = 0
    at_most: int | None = None
    stop_at: datetime | None = None
    scheduled_at: datetime | None = None
    late_policy: str = LatePolicy.ASK
    late_hours: int = 6
    trigger: str = Trigger.NONE
    delay_minutes: list[int] = field(default_factory=lambda: [0, 0])
    again_after_days: int | None = None

    def columns(self) -> dict[str, Any]:
        return asdict(self) | {"guards": self.guards.as_json(), "is_template": True}


@dataclass(frozen=True)
class Window:
    """Where a draft is written: an open form of somebody's."""

    user_id: int
    token: str  # made with the form
    since: str = ""  # the draft's `draft_window` as the form was loaded
    overwrites: bool = False  # what others wrote meanwhile

    def turn(self, last: str) -> str:
        """The draft's `draft_window` after this one wrote: counted, so that a window is not taken for itself of before."""
        name, turns = f"{self.user_id}.{self.token}", last.rpartition(":")
        return last if turns[0] == name else f"{name}:{int(turns[2] or 0) + 1}"


class ChangedMeanwhile(Exception):
    """In another window than the one that would save it: that one has not seen it."""

    def __init__(self, campaign: Campaign) -> None:
        super().__init__(f"campaign {campaign.id}")
        self.campaign_id = campaign.id
        self.by_id = int((campaign.draft_window or "").partition(".")[0])


class OtherNumber(Exception):
    """It would go to more fans, or fewer, than whoever sends it has read."""


def save_draft(account_id: int, key: str, window: Window, said: Composition) -> Campaign:
    """Under the key that the form was made with: however often it comes, one campaign.

    Raises Conflict where it was launched or scheduled meanwhile; ChangedMeanwhile where somebody else wrote in it.
    """
    with write():
        campaign = _draft_of(account_id, key, window.user_id)
        if campaign.status != CampaignStatus.DRAFT:
            raise Conflict(f"This campaign is {queries.stands(campaign)}: it can no longer be changed here.")
        last = campaign.draft_window or ""
        turn = window.turn(last)
        if last not in ("", window.since, turn) and not window.overwrites:
            raise ChangedMeanwhile(campaign)
        for name, value in said.columns().items():
            setattr(campaign, name, value)
        campaign.draft_window = turn
    return campaign


def _draft_of(account_id: int, key: str, author_id: int) -> Campaign:
    row = {
        "account_id": account_id, "draft_key": key, "author_id": author_id, "name": "", "content": "", "priority": 5,
        "status": CampaignStatus.DRAFT, "type": "bulk_message", "attachments": [], "price_cents": 0, "audience": {},
        "guards": {}, "is_template": True, "aim": "", "wordings": [], "holdout_percent": 0, "late_policy": LatePolicy.ASK,
        "late_hours": 6, "note": "", "trigger": "", "delay_minutes": [0, 0], "started_at": utcnow(), "created_at": utcnow(),
    }  # fmt: skip
    campaign = None
    while campaign is None:  # one that was there may be discarded before it can be held
        execute(insert(table_of(Campaign)).values(row).on_conflict_do_nothing())
        campaign = db.session.scalar(held(_of_key(account_id, key)))
    return campaign


def is_kept(account_id: int, key: str) -> bool:
    return db.session.scalar(_of_key(account_id, key)) is not None


def find_by_key(account_id: int, key: str) -> Campaign:
    """Raises NotFound."""
    found = db.session.scalar(_of_key(account_id, key))
    if found is None:
        raise NotFound
    return found


def _of_key(account_id: int, key: str) -> Select[Any]:
    return queries.campaigns_of(account_id).where(Campaign.draft_key == key)


def launch_draft(account_id: int, campaign_id: int, *, note: str = "", seen: int | None = None) -> Campaign:
    """Freezes its audience as it is now, and starts; an automatic one is switched on. Raises Invalid, Conflict.

    seen: to how many it goes, as somebody read it; OtherNumber where it no longer is so. None: nobody looks.
    """
    with write():
        campaign = actions.locked(account_id, campaign_id)
        _require_unlaunched(campaign)
        connection, audience = check(campaign)
        noted: list[live.Noted] = []
        if campaign.trigger:
            _switch_on(campaign, audience, connection)
        else:
            _check_number(campaign, audience, connection, seen)
            noted = actions.start(campaign, audience, connection)
        campaign.note = note
        actions.record(campaign, Act.CAMPAIGN_LAUNCHED)
    actions.tell_started(campaign, noted)
    return campaign


def _check_number(campaign: Campaign, audience: Audience, connection: Connection | None, seen: int | None) -> None:
    """Of nobody it is for `start` to complain."""
    if seen is not None:
        included = outlook(actions.selection_of(campaign, audience, connection)).included
        if included and included != seen:
            raise OtherNumber


def schedule(account_id: int, campaign_id: int) -> Campaign:
    """For its `scheduled_at`. What would stop it now is said now. Raises Invalid, Conflict."""
    with write():
        campaign = actions.locked(account_id, campaign_id)
        _require_unlaunched(campaign)
        if campaign.scheduled_at is None or campaign.scheduled_at <= utcnow():
            raise Invalid(("scheduledAt", "Choose a time to come."))
        check(campaign)
        campaign.status, campaign.note = CampaignStatus.SCHEDULED, ""
        actions.record(campaign, Act.CAMPAIGN_SCHEDULED)
    return campaign


def unschedule(account_id: int, campaign_id: int, note: str = "") -> Campaign:
    """Back to a draft. Raises Conflict where it has started meanwhile."""
    with write():
        campaign = actions.locked(account_id, campaign_id)
        actions.require(campaign, (CampaignStatus.SCHEDULED,))
        campaign.status, campaign.note = CampaignStatus.DRAFT, note
        actions.record(campaign, Act.CAMPAIGN_UNSCHEDULED)
    return campaign


def discard(account_id: int, campaign_id: int) -> None:
    """A draft goes for good. Raises Conflict for anything else."""
    with write() as session:
        campaign = actions.locked(account_id, campaign_id)
        actions.require(campaign, (CampaignStatus.DRAFT,))
        session.delete(campaign)


def _require_unlaunched(campaign: Campaign) -> None:
    actions.require(campaign, (CampaignStatus.DRAFT, CampaignStatus.SCHEDULED))


def check(campaign: Campaign) -> tuple[Connection | None, Audience]:
    """What it needs before it can start, by the names of the composer's fields. Raises Invalid, naming them all."""
    connection, errors = platforms.first_connection(campaign.account_id, "onlyfans"), []
    if connection is None:
        errors.append(("connection", "Connect your platform first."))
    if not campaign.name:
        errors.append(("name", NAMELESS))
    if campaign.stop_at and campaign.stop_at <= max(utcnow(), campaign.scheduled_at or utcnow()):
        errors.append(("stopAt", "Choose a time after it starts."))
    if campaign.trigger == Trigger.SEGMENT and campaign.aim == aims.ALL:
        errors.append(("audience", "Everybody is in it already: choose a segment that fans come into."))
    for number, text in enumerate(campaign.texts):
        errors += _wrong_in(campaign, connection, number, text)
    aim = aims.find_aim(campaign.account_id, campaign.aim)
    if aim.wrong:
        errors.append(("audience", aim.wrong))
    if errors:
        raise Invalid(*errors)
    audience = Audience(aim.rule)
    campaign.audience = actions.audience_as_json(audience, aim.words)
    return connection, audience


def selection_of_draft(campaign: Campaign) -> Selection:
    """Who would get it now. Nobody, where its audience is no longer there."""
    aim = aims.find_aim(campaign.account_id, campaign.aim)
    connection = platforms.first_connection(campaign.account_id, "onlyfans")
    return actions.selection_of(campaign, Audience(aim.rule), connection)


def _wrong_in(campaign: Campaign, connection: Connection | None, number: int, text: str) -> list[tuple[str, str]]:
    draft = Draft(text, campaign.price_cents, campaign.attachments, priority=campaign.priority)
    try:
        conversations.check_draft(campaign.account_id, connection, draft)
    except Invalid as error:
        return [
            (name if number == 0 or name != "text" else f"wordings.{number - 1}", said) for name, said in error.errors
        ]
    return []


def _switch_on(campaign: Campaign, audience: Audience, connection: Connection | None) -> None:
    """From now on. Who is in its segment already has not come into it. Does not commit."""
    campaign.connection_id = connection.id if connection else None
    campaign.status, campaign.started_at, campaign.looked_at = CampaignStatus.ACTIVE, utcnow(), utcnow()
    db.session.flush()
    if campaign.trigger == Trigger.SEGMENT:
        is_inside = audience.holds(campaign.account_id)
        stays.note_stays(campaign, is_inside, campaign.started_at)
        inside = select(Fan.id.label("fan_id"), literal(WAS_IN_BEFORE).label("reason"))
        actions.consider(campaign, inside.where(is_inside))


def send_test(account_id: int, handle: str, said: Composition, author_id: int) -> Fan:
    """The message as it stands, filled in, to one fan at once; it counts in no campaign. Raises Invalid, Conflict."""
    fan = fans.find_by_handle(account_id, handle)
    if fan is None:
        raise Invalid(("testFan", "No fan with this handle. Write it as it stands on the fan's page."))
    text = parse(said.content).render(fan, utcnow()).text
    draft = Draft(text, said.price_cents, said.attachments, author_id=author_id)
    conversations.send_to_fan(account_id, fan.id, draft)
    return fan
