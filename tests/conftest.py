"""What every test can ask for: the real application on SQLite and on PostgreSQL, a real Valkey, the sandbox platform.

Ada owns an account; Eve owns another, and none of Ada's rows exists for her.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask_migrate import upgrade
from xdist.scheduler import LoadGroupScheduling

from app import create_app
from app.database import Base, db, write
from tests import people, servers
from tests.events import Platform

# Tests of one of these start a whole stack: they share it, in one process.
ONE_STACK = ("tests/browser/", "tests/stack/", "tests/test_live.py")
MUST_RUN_ALL = os.environ.get("GREENROOM_TEST_ALL") == "1"  # in CI a test that cannot run is a failure


class OneStack(LoadGroupScheduling):
    def _split_scope(self, nodeid: str) -> str:
        return next((place for place in ONE_STACK if nodeid.startswith(place)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneStack:
    return OneStack(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    lacking = []
    if servers.postgres_folder() is None:
        lacking.append("postgres")
    if not Path("/usr/bin/chromium").exists():
        lacking.append("browser")
    if shutil.which("promtool") is None:
        lacking.append("prometheus")
    if MUST_RUN_ALL and lacking:
        raise pytest.UsageError(f"This machine lacks what these tests need: {', '.join(lacking)}")
    for item in items:
        for name in lacking:
            if item.get_closest_marker(name):
                item.add_marker(pytest.mark.skip(reason=f"left out: this machine has no {name}"))


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    with servers.running_valkey() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with servers.running_postgres() as url:
        yield url


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[servers.Sandbox]:
    with servers.running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox_process: servers.Sandbox) -> servers.Sandbox:
    sandbox_process.reset()
    return sandbox_process


@pytest.fixture(scope="session")
def make_app(valkey_url: str, tmp_path_factory: pytest.TempPathFactory):
    """Applications by database URL, each with its tables in place; made once a session."""
    made: dict[str, APIFlask] = {}

    def make(database_url: str, **overrides: Any) -> APIFlask:
        if database_url not in made:
            made[database_url] = _new_app(database_url, valkey_url, tmp_path_factory.mktemp("instance"), overrides)
        return made[database_url]

    return make


def _new_app(database_url: str, valkey_url: str, instance: Path, overrides: dict[str, Any]) -> APIFlask:
    url = database_url.replace("postgresql://", "postgresql+psycopg://")
    app = create_app(
        {
            "TESTING": True,
            "PROPAGATE_EXCEPTIONS": False,
            "SECRET_KEY": "a secret for tests, thirty-two characters long",
            "INSTANCE": instance,
            "SQLALCHEMY_DATABASE_URI": url,
            "REDIS_URL": valkey_url,
            "ARGON2": {"time_cost": 1, "memory_cost": 8, "parallelism": 1},
            "LIMIT_WRITES": "100000/minute",
            "LIMIT_IMPORTS": "100000/hour",
            "LIMIT_BULK": "100000/hour",
            "LIMIT_SIGN_IN": "100000/minute",
            "MEDIA_HOSTS": frozenset(),
            **overrides,
        }
    )
    with app.app_context():
        upgrade()
    return app


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def app(
    request: pytest.FixtureRequest, make_app, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> APIFlask:
    """The application with empty tables, on each database."""
    app = make_app(_database_url(request, tmp_path_factory))
    servers.empty_redis(valkey_url)
    with app.app_context():
        empty_tables()
    return app


def _database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    kept = request.config.stash.setdefault(_URLS, {})
    if request.param not in kept:
        if request.param == "sqlite":
            kept["sqlite"] = f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'test.sqlite'}"
        else:
            kept["postgres"] = servers.make_database(request.getfixturevalue("postgres_url"), "greenroom_test")
    return kept[request.param]


_URLS: pytest.StashKey[dict[str, str]] = pytest.StashKey()


def empty_tables() -> None:
    with write() as session:
        for table in reversed(Base.metadata.sorted_tables):
            if table.name != "audit_entries":  # the database refuses it; accounts' ids are not given twice
                session.execute(table.delete())
    db.session.remove()


@pytest.fixture
def ada(app: APIFlask) -> people.Person:
    return people.make_person(app, "ada@example.com", "Ada's account")


@pytest.fixture
def eve(app: APIFlask) -> people.Person:
    return people.make_person(app, "eve@example.com", "Eve's account")


@pytest.fixture
def connected(ada: people.Person, sandbox: servers.Sandbox) -> servers.Sandbox:
    """With Ada's account."""
    people.connect(ada, sandbox.url)
    return sandbox


@pytest.fixture
def platform(ada: people.Person, sandbox: servers.Sandbox) -> Platform:
    """Where Ada's account is connected."""
    return Platform(ada, people.connect(ada, sandbox.url))
