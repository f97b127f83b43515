"""Rows as columns of numbers, and places by which they are summed up."""

from typing import Any

import numpy as np

Column = np.ndarray[Any, Any]
Columns = dict[str, Column]

SPARSE = 8  # of so many numbers one is an id that is there


def where(columns: Columns, is_wanted: Column) -> Columns:
    return columns if is_wanted.all() else {name: column[is_wanted] for name, column in columns.items()}


class Ids:
    """A place for each of these ids. Those that lie close together, as an account's do, are counted from the first."""

    def __init__(self, *columns: Column) -> None:
        some = [column for column in columns if len(column)]
        self._first = min((int(column.min()) for column in some), default=0)
        self.size = max((int(column.max()) + 1 - self._first for column in some), default=0)
        self._sorted = None
        if self.size > SPARSE * sum(map(len, some)):
            self._sorted = np.unique(np.concatenate(some))
            self.size = len(self._sorted)

    def places(self, ids: Column) -> Column:
        return ids.astype(np.int64) - self._first if self._sorted is None else np.searchsorted(self._sorted, ids)

    def at(self, places: Column) -> Column:
        """The ids that have them."""
        return places + self._first if self._sorted is None else self._sorted[places]
