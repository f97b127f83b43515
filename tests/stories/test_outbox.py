"""Whatever happens, in whatever order: the outbox keeps its promises. Simulated time, see simulation.py."""

from collections import defaultdict
from itertools import pairwise
from random import Random

import pytest
import time_machine
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.campaigns import actions as campaigns
from app.clock import SECOND
from app.conversations.actions import Draft
from app.conversations.models import WENT_OUT, Message, MessageStatus, SendAttempt
from app.database import db
from app.platforms import queries as platforms
from tests.stories.simulation import BEGAN, GLANCE, Platform
from tests.stories.story import BASE, FANS, Story

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
paces = st.sampled_from([(1, 1), (3, 2), (5, 10), (20, 5), (400, 1)])  # at the last, campaigns leave four at once


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
        the_older_goes_first(told)


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


def the_older_goes_first(told: Story) -> None:
    """Among replies of one priority. Only one that must wait for an earlier message to the same fan is overtaken."""
    with told.app.app_context():
        rows = select(
            SendAttempt.started_tick, SendAttempt.answered_tick, Message.id, Message.fan_id, Message.campaign_id
        )
        found = db.session.execute(
            rows.join(Message, Message.id == SendAttempt.message_id).order_by(SendAttempt.id)
        ).all()
        db.session.remove()
    replies = [each for each in found if each.campaign_id is None]
    there = {message.id: _boot_of(message) + BASE for message in told.messages()}
    for place, first in enumerate(replies):
        for overtaken in replies[place + 1 :]:
            if overtaken.id < first.id and there[overtaken.id] <= first.started_tick:
                before_it = [each for each in found if each.fan_id == overtaken.fan_id and each.id < overtaken.id]
                assert any(each.answered_tick > first.started_tick for each in before_it), (
                    f"{first} overtook {overtaken}"
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
            slow.add_account(FANS)
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


def test_a_hundred_fans_at_twenty_in_five_seconds_take_twenty_five(app):
    """Evenly: no gap is longer than a spacing and the way there and back, the first ones not excepted."""
    with pytest.MonkeyPatch.context() as monkeypatch, time_machine.travel(BEGAN, tick=False) as traveller:
        told = Story(app, monkeypatch, (20, 5), 0.0, 20_000, 1, fans=100)
        traveller.move_to(told.time.wall)
        with app.app_context():
            campaigns.launch(told.account_id, campaigns.Plan(told.fan_ids, Draft("to all")))
            db.session.remove()
        told.finish(traveller)
        arrivals = sorted(told.platform.arrivals)
        spacing, way = SECOND // 4, 20_000
        assert len(arrivals) == 100
        assert 99 * spacing - way <= arrivals[-1] - arrivals[0] <= 99 * spacing + 99 * way
        assert all(spacing - way <= later - earlier <= spacing + 2 * way for earlier, later in pairwise(arrivals))
        assert told.platform.violations == 0
