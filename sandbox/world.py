"""The running platform: its state, its journal, its limits and faults, behind one lock."""

import threading
from pathlib import Path
from typing import Any

from sandbox import clock, fans_file
from sandbox.faults import Dice, Faults
from sandbox.journal import Event, Journal
from sandbox.limiter import Limiter
from sandbox.sends import Sends
from sandbox.state import State
from sandbox.webhooks import Webhooks


class World:
    def __init__(self, fans: Path | None = None, journal: Path | None = None):
        self.lock = threading.RLock()
        self.stopping = threading.Event()
        self.state = State(fans_file.load(fans) if fans else [])
        self.sends = Sends()
        self.limiter = Limiter()
        self.set_faults(Faults())
        self.webhooks = Webhooks(self.stopping)
        self.autoplay = False
        self._journal = Journal(journal)
        self._wake_up()

    def _wake_up(self) -> None:
        for kind, data in self._journal.replay():
            self.state.apply(kind, data)
        self._journal.open()
        for hook in self.state.hooks.values():
            self.webhooks.register(hook)

    def set_faults(self, faults: Faults) -> None:
        self.faults = faults
        self.dice = Dice(faults)
        self.limiter.set(faults.limit, round(faults.windowSeconds * clock.SECOND))

    def commit(self, *events: Event) -> None:
        """Make these things true, all or none, and remember them across restarts. Call it under the lock."""
        for kind, data in events:
            self.state.apply(kind, data)
        self._journal.write(events)

    def tell(self, event: str, account: str, payload: Any) -> None:
        self.webhooks.deliver(event, account, payload)

    def close(self) -> None:
        """The end: the lock is kept, so that nothing is accepted which the journal can no longer remember."""
        self.stopping.set()
        self.lock.acquire()
        self._journal.close()
