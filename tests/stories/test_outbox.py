"""Whatever happens, in whatever order: the outbox keeps its promises. Simulated time, see simulation.py."""

from collections import defaultdict
from itertools import count, pairwise
from random import Random

import pytest
import time_machine
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from app import clock, sweep
from app.accounts.models import Account
from app.campaigns import actions as campaigns
from app.campaigns.models import Campaign
from app.clock import SECOND
from app.conversations import actions
from app.conversations.actions import Draft
from app.conversations.claims import wake
from app.conversations.models import WENT_OUT, Message, MessageStatus
from app.database import db, write
from app.fans.models import Fan
from app.platforms import queries as platforms
from app.platforms.models import Connection, ConnectionStatus
from tests.conftest import empty_tables
from tests.stories.simulation import BEGAN, GLANCE, Platform, Sender, Time

pytestmark = pytest.mark.timeout(600)
FANS = 12
NUMBERS = count()
BASE = 1_700_000_000 * SECOND
QUIET = 30_000 * SECOND  # so long the simulation goes on at most, after the last deed

# Stories go through databases and take their time; one that fails is told as it was, for to shrink it would take minutes.
as_stories = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    max_examples=60,
)
deeds = st.one_of(
    st.tuples(st.just("reply"), st.integers(0, FANS - 1), st.integers(1, 10)),
    st.tuples(st.just("campaign"), st.integers(2, FANS), st.integers(1, 10)),
    st.tuples(st.sampled_from(["pause", "resume", "cancel"]), st.integers(0, 3), st.just(0)),
    st.tuples(st.sampled_from(["hold", "go on"]), st.just(0), st.just(0)),
    st.tuples(st.just("kill"), st.integers(0, 1), st.just(0)),
    st.tuples(st.just("clock"), st.sampled_from([-86_400, -3_600, -1, 1, 3_600, 86_400]), st.just(0)),
)
stories = st.lists(st.tuples(st.integers(0, 6 * SECOND), deeds), min_size=3, max_size=14)
paces = st.sampled_from([(1, 1), (3, 2), (5, 10), (20, 5)])


class Story:
    """One example: an account with a connection, two senders, and the deeds as they come."""

    def __init__(self, app, monkeypatch, pace: tuple[int, int], trouble: float, slowest: int, seed: int) -> None:
        self.app, self.pace = app, pace
        self.time = Time()
        window = pace[1] * SECOND
        self.platform = Platform(self.time, pace[0], window, trouble, slowest, Random(seed))
        monkeypatch.setattr(clock, "boot_microseconds", lambda: self.time.now)
        app.extensions["greenroom_clock"] = {clock._boot_id(): BASE}
        monkeypatch.setitem(platforms.ADAPTERS, "simulated", lambda endpoint: self.gateway())
        monkeypatch.setitem(app.config, "SEND_BACKOFF_SECONDS", (1, 16))
        with app.app_context():
            empty_tables()  # an example before this one may have left work
            self._make_rows()
        self.senders = [Sender(self.time, app), Sender(self.time, app)]
        self.time.after(0, self.sweep)
        self.deeds: list[tuple] = []

    def gateway(self):
        class Gateway:
            honours_idempotency_keys = True
            send = staticmethod(self.platform.send)
            read_chat = staticmethod(self.platform.read_chat)

        return Gateway()

    def _make_rows(self) -> None:
        with write() as session:
            account = Account(name=f"Story {next(NUMBERS)}")
            session.add(account)
            session.flush()
            connection = Connection(
                account_id=account.id, base_url="https://simulated", external_account="acct", adapter="simulated",
                api_key="k", webhook_secret="s", pace_limit=self.pace[0], pace_window_seconds=self.pace[1],
            )  # fmt: skip
            session.add(connection)
            fans = [
                Fan(account_id=account.id, platform_fan_id=str(number), handle=f"@f{number}") for number in range(FANS)
            ]
            session.add_all(fans)
            session.flush()
            self.account_id, self.connection_id, self.fan_ids = account.id, connection.id, [fan.id for fan in fans]

    def sweep(self) -> None:
        with self.app.app_context():
            sweep.ring_again(("sending",))
            db.session.remove()
        self.tell_senders()
        self.time.after(2 * SECOND, self.sweep)

    def tell_senders(self) -> None:
        for sender in self.senders:
            sender.glance()

    def do(self, deed: tuple[str, int, int], number: int, traveller) -> None:
        self.deeds.append((self.time.now, *deed))
        kind, which, priority = deed
        with self.app.app_context():
            if kind == "reply":
                actions.send_to_fan(self.account_id, self.fan_ids[which], Draft(f"reply {number}", priority=priority))
            elif kind == "campaign":
                plan = campaigns.Plan(self.fan_ids[:which], Draft(f"campaign {number}", priority=priority))
                campaigns.launch(self.account_id, plan)
            elif kind in ("pause", "resume", "cancel"):
                self._steer(kind, which)
            elif kind in ("hold", "go on"):
                self._set_connection(ConnectionStatus.PAUSED if kind == "hold" else ConnectionStatus.ACTIVE)
            db.session.remove()
        self.tell_senders()
        if kind == "kill":
            self.senders[which].kill()
            self.senders[which] = Sender(self.time, self.app)
        elif kind == "clock":
            self.time.wall_is_off += which * self.time.wall.resolution * 1_000_000
            traveller.move_to(self.time.wall)

    def _steer(self, kind: str, which: int) -> None:
        rows = select(Campaign.id).where(Campaign.account_id == self.account_id).order_by(Campaign.id)
        ids = list(db.session.scalars(rows))
        if which < len(ids):
            try:
                getattr(campaigns, kind)(self.account_id, ids[which])
            except campaigns.Conflict:
                event("a campaign could not be steered so")

    def _set_connection(self, status: str) -> None:
        with write() as session:
            session.execute(update(Connection).where(Connection.id == self.connection_id).values(status=status))
        wake(self.account_id)

    def run(self, until: int, traveller) -> None:
        while self.time._queue and self.time._queue[0][0] <= until:
            self.time.next()
            traveller.move_to(self.time.wall)
        self.time.now = max(self.time.now, until)
        traveller.move_to(self.time.wall)

    def finish(self, traveller) -> None:
        """Everything is let go on, until nothing waits any more."""
        with self.app.app_context():
            self._set_connection(ConnectionStatus.ACTIVE)
            for campaign in db.session.scalars(select(Campaign.id).where(Campaign.account_id == self.account_id)).all():
                with write() as session:
                    session.execute(
                        update(Campaign)
                        .where(Campaign.id == campaign, Campaign.status == "paused")
                        .values(status="active")
                    )
            wake(self.account_id)
        ends_at = self.time.now + QUIET
        while self.time.now < ends_at and self._unsettled():
            self.run(self.time.now + 5 * SECOND, traveller)
        for sender in self.senders:
            sender.kill()

    def _unsettled(self) -> bool:
        return bool({MessageStatus.QUEUED, MessageStatus.SENDING} & {message.status for message in self.messages()})

    def __repr__(self) -> str:
        """How it stands: for one who reads a failure."""
        with self.app.app_context():
            connection = db.session.get_one(Connection, self.connection_id)
            lines = [f"{name}: {value}" for name, value in vars(connection).items() if not name.startswith("_")]
            lines += [f"now: {clock.now()}", f"told: {self.deeds}"]
            db.session.remove()
        waiting = (MessageStatus.QUEUED, MessageStatus.SENDING)
        return "\n".join([*lines, *(repr(each) for each in self.messages() if each.status in waiting)])

    def messages(self) -> list[Message]:
        with self.app.app_context():
            rows = select(Message).where(Message.account_id == self.account_id).order_by(Message.id)
            found = list(db.session.scalars(rows))
            db.session.expunge_all()
            db.session.remove()
            return found


@as_stories
@given(stories, paces, st.sampled_from([0.0, 0.05, 0.2]), st.sampled_from([10_000, SECOND, 20 * SECOND]), st.integers())
def test_whatever_happens_the_pace_holds_and_nothing_is_lost_or_sent_twice(app, story, pace, trouble, slowest, seed):
    with pytest.MonkeyPatch.context() as monkeypatch, time_machine.travel(BEGAN, tick=False) as traveller:
        told = Story(app, monkeypatch, pace, trouble, slowest, seed)
        traveller.move_to(told.time.wall)
        for number, (delay, deed) in enumerate(story):
            told.run(told.time.now + delay, traveller)
            told.do(deed, number, traveller)
        told.finish(traveller)
        holds(told)


def holds(told: Story) -> None:
    assert told.platform.violations == 0, "one more than the pace in some window"
    messages = told.messages()
    allowed = {*WENT_OUT, MessageStatus.FAILED, MessageStatus.UNKNOWN, MessageStatus.CANCELLED}
    assert {message.status for message in messages} <= allowed, f"all end in one state\n{told}"
    copies = copies_of_each(told)
    for message in messages:
        count = copies[message.text, message.fan_id]
        assert count <= 1, f"sent twice: {message}"
        if message.status in WENT_OUT:
            assert count == 1, f"called sent, and was not: {message}"
        if message.status in (MessageStatus.FAILED, MessageStatus.CANCELLED):
            assert count == 0, f"arrived, and is called {message.status}: {message}"
        event(f"a message ended {message.status}")
    order_is_kept(told, messages)


def copies_of_each(told: Story) -> defaultdict[tuple[str, int | None], int]:
    fan_of = {str(number): fan_id for number, fan_id in enumerate(told.fan_ids)}
    copies: defaultdict[tuple[str, int | None], int] = defaultdict(int)
    for chat_id, chat in told.platform.chats.items():
        for message in chat:
            copies[message.text, fan_of[chat_id]] += 1
    return copies


def order_is_kept(told: Story, messages: list[Message]) -> None:
    """To one fan, within one priority, in the order in which they were written."""
    for number, fan_id in enumerate(told.fan_ids):
        place = {message.text: at for at, message in enumerate(told.platform.chats[str(number)])}
        lines: defaultdict[int, list[int]] = defaultdict(list)
        for message in messages:
            # One that a person paused, or that was in doubt meanwhile, may well be overtaken.
            if message.fan_id == fan_id and message.text in place and message.campaign_id is None:
                lines[message.rank].append(place[message.text])
        assert all(line == sorted(line) for line in lines.values())


@as_stories
@given(st.lists(st.tuples(st.integers(0, 4 * SECOND), st.booleans()), min_size=1, max_size=10), paces, st.integers())
def test_with_room_and_work_nothing_waits_longer_than_a_spacing(app, posts, pace, seed):
    """A quiet platform: each reply leaves at once where the window has room, campaigns at their spacing."""
    with pytest.MonkeyPatch.context() as monkeypatch, time_machine.travel(BEGAN, tick=False) as traveller:
        told = Story(app, monkeypatch, pace, 0.0, 20_000, seed)
        traveller.move_to(told.time.wall)
        for number, (delay, is_reply) in enumerate(posts):
            told.run(told.time.now + delay, traveller)
            told.do(("reply", number % FANS, 5) if is_reply else ("campaign", FANS, 5), number, traveller)
        told.finish(traveller)
        holds(told)
        assert {message.status for message in told.messages()} <= {*WENT_OUT}
        no_idle_time(told, pace)


def no_idle_time(told: Story, pace: tuple[int, int]) -> None:
    """While anything waits, two arrivals are never further apart than a spacing, or than a full window demands."""
    spacing, window = pace[1] * SECOND / pace[0], pace[1] * SECOND
    arrivals = sorted(told.platform.arrivals)
    created = sorted(_boot_of(message) for message in told.messages())
    slack = 2 * GLANCE + 40_000  # a glance to notice, and the way there and back
    for place, (earlier, later) in enumerate(pairwise(arrivals), start=1):
        waited_from = max(earlier, created[place])
        full_until = arrivals[place - pace[0]] + window if place >= pace[0] else 0
        assert later <= max(waited_from + spacing, full_until) + slack, (
            f"idle before arrival {place}\n{arrivals}\n{told}"
        )


def _boot_of(message: Message) -> int:
    return round((message.created_at - BEGAN).total_seconds() * SECOND)


def test_two_connections_and_one_slow_platform(app):
    """A platform that takes twenty seconds an answer holds up nobody on another connection."""
    with pytest.MonkeyPatch.context() as monkeypatch, time_machine.travel(BEGAN, tick=False) as traveller:
        slow = Story(app, monkeypatch, (20, 5), 0.0, 28 * SECOND, 1)
        traveller.move_to(slow.time.wall)
        with app.app_context():
            campaigns.launch(slow.account_id, campaigns.Plan(slow.fan_ids, Draft("to the slow one")))
            db.session.remove()
        slow.run(slow.time.now + 5 * SECOND, traveller)
        quick = Platform(slow.time, 20, 5 * SECOND, 0.0, 10_000, Random(2))
        slow_platform, slow.platform = slow.platform, quick
        with app.app_context():
            slow._make_rows()
        monkeypatch.setitem(platforms.ADAPTERS, "simulated", lambda endpoint: slow.gateway())
        began = slow.time.now
        with app.app_context():
            campaigns.launch(slow.account_id, campaigns.Plan(slow.fan_ids, Draft("to the quick one")))
            db.session.remove()
        slow.run(began + 4 * SECOND, traveller)
        assert len(quick.arrivals) == FANS
        assert slow_platform.violations == 0
        for sender in slow.senders:
            sender.kill()


@pytest.fixture(autouse=True)
def _own_clock(app):
    yield
    app.extensions.pop("greenroom_clock", None)
