"""One example of a story: an account with a connection, two senders, a platform, and deeds as they come."""

from itertools import count
from random import Random

from hypothesis import event
from sqlalchemy import select, update

from app import clock, sweep
from app.accounts.models import Account
from app.campaigns import actions as campaigns
from app.campaigns.models import Campaign
from app.clock import SECOND
from app.conversations import actions
from app.conversations.actions import Draft
from app.conversations.claims import wake
from app.conversations.models import Message, MessageStatus
from app.database import db, write
from app.fans.models import Fan
from app.platforms import queries as platforms
from app.platforms.models import Connection, ConnectionStatus
from tests.conftest import empty_tables
from tests.stories.simulation import Platform, Sender, Time

FANS = 12
NUMBERS = count()
BASE = 1_700_000_000 * SECOND
QUIET = 30_000 * SECOND  # so long the simulation goes on at most, after the last deed


class Story:
    """One example: an account with a connection, two senders, and the deeds as they come."""

    def __init__(
        self, app, monkeypatch, pace: tuple[int, int], trouble: float, slowest: int, seed: int, fans: int = FANS
    ) -> None:
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
            self.add_account(fans)
        self.senders = [Sender(self.time, app), Sender(self.time, app)]
        self.time.after(0, self.sweep)
        self.deeds: list[tuple] = []

    def gateway(self):
        class Gateway:
            honours_idempotency_keys = True
            send = staticmethod(self.platform.send)
            read_chat = staticmethod(self.platform.read_chat)

        return Gateway()

    def add_account(self, fans: int) -> None:
        """A connection with so many fans; from now on the story is about these."""
        with write() as session:
            account = Account(name=f"Story {next(NUMBERS)}")
            session.add(account)
            session.flush()
            connection = Connection(
                account_id=account.id, base_url="https://simulated", external_account="acct", adapter="simulated",
                api_key="k", webhook_secret="s", pace_limit=self.pace[0], pace_window_seconds=self.pace[1],
            )  # fmt: skip
            session.add(connection)
            made = [
                Fan(account_id=account.id, platform_fan_id=str(number), handle=f"@f{number}") for number in range(fans)
            ]
            session.add_all(made)
            session.flush()
            self.account_id, self.connection_id, self.fan_ids = account.id, connection.id, [fan.id for fan in made]

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
