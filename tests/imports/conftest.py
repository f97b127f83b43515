"""Imports on the real application: the worker's task is called where a worker would call it."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import select

from app.database import db
from app.fans.models import Fan
from app.imports import actions, queries
from tests.people import Person

HOUSE = "Username,Display Name,Email,Subscription Tier,Total Spent,Last Seen\n"


class Importer:
    """Ada's imports, each run to its end."""

    def __init__(self, app: APIFlask, person: Person) -> None:
        self.app = app
        self.person = person

    def __call__(self, content: str | bytes, filename: str = "fans.csv", **options: Any) -> dict[str, Any]:
        """The summary."""
        raw = content.encode() if isinstance(content, str) else content
        with self.app.app_context():
            new = actions.start(
                self.person.account_id, self.person.user_id, filename=filename, content=io.BytesIO(raw), **options
            )
            actions.run_import(new.id)
            done = actions.wait_for(new.id, 0)
            assert done.status == "completed", done.failure
            self.last_id = done.id
            summary = queries.summary(done)
        parts = ("successfulInserts", "updated", "unchanged", "skipped")
        assert summary["totalRows"] == sum(summary[part] for part in parts)
        assert len(summary["errors"]) == summary["skipped"]
        return summary

    def fans(self) -> dict[str, Fan]:
        """By handle (in lower case), e-mail or name: whatever comes first."""
        with self.app.app_context():
            rows = db.session.scalars(select(Fan).where(Fan.account_id == self.person.account_id)).all()
            return {(fan.handle or "").lower() or fan.email or fan.name or "": fan for fan in rows}


def counts(summary: dict[str, Any]) -> tuple[int, int, int, int]:
    """New, updated, unchanged, skipped."""
    return summary["successfulInserts"], summary["updated"], summary["unchanged"], summary["skipped"]


@pytest.fixture
def bring(app: APIFlask, ada: Person) -> Importer:
    return Importer(app, ada)


@pytest.fixture
def count_of(app: APIFlask) -> Callable[[Any], int]:
    def count(table: Any) -> int:
        with app.app_context():
            return len(db.session.execute(select(table)).all())

    return count
