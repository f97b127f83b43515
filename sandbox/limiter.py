"""The rolling limit of each account: at most `limit` counted attempts in any `window` microseconds."""

from collections import defaultdict, deque


class Limiter:
    def __init__(self):
        self.limit: int | None = None
        self.window = 0
        self._counted: defaultdict[str, deque[int]] = defaultdict(deque)

    def set(self, limit: int | None, window: int) -> None:
        """A changed limit begins with an empty window; the same limit put again keeps what it counted."""
        if (limit, window) != (self.limit, self.window):
            self.limit, self.window = limit, window
            self._counted.clear()

    def wait(self, account: str, at: int) -> int:
        """0 and counted where the attempt at `at` fits; else the microseconds until one would."""
        if self.limit is None:
            return 0
        counted = self._counted[account]
        while counted and at - counted[0] >= self.window:
            counted.popleft()
        if len(counted) >= self.limit:
            return counted[-self.limit] + self.window - at
        counted.append(at)
        return 0
