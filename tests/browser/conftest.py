import csv
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from app import assets
from app.config import DEMO, ROOT
from tests.browser.line import Line
from tests.browser.person import Person
from tests.browser.stack import BOB, Stack, add_person, running_stack
from tests.browser.ways import come_to, gone
from tests.stack.stack import Stack as WholeStack

assert come_to  # a fixture
assert gone  # another

BROKEN_LINE = "WebSocket connection to .* failed|ERR_|Failed to (fetch|load resource)"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def pytest_itemcollected(item: pytest.Item) -> None:
    """For every test of this folder."""
    item.add_marker(pytest.mark.browser)
    item.add_marker(pytest.mark.timeout(120))  # the first one starts the whole stack, perhaps on a busy machine


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    if lacking := [asset.name for asset in assets.missing()]:
        reason = f"the browser files are not here: {', '.join(lacking)} (make setup)"
        pytest.fail(reason) if os.environ.get("GREENROOM_TEST_ALL") == "1" else pytest.skip(f"left out: {reason}")
    with running_stack() as stack:
        stack.sandbox.quieten()
        stack.add_person(**BOB, role="chatter")
        stack.sign_in()
        yield stack


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def sessions(stack: Stack, chromium: Browser) -> dict[str, Any]:
    """Ada's and Bob's cookies, each from a real sign-in."""
    kept = {}
    for name, who in (("ada", DEMO), ("bob", BOB)):
        person = Person(chromium, stack.url)
        person.sign_in(**who)
        kept[name] = person.context.storage_state()
        person.leave()
    return kept


@pytest.fixture
def visit(stack: Stack, chromium: Browser, sessions: dict[str, Any]) -> Iterator[Callable[..., Person]]:
    """Opens a browser window of Ada's, Bob's or a stranger's. At the end none may have met an error."""
    people: list[Person] = []

    def visit(name: str = "", url: str = stack.url, **options: Any) -> Person:
        people.append(Person(chromium, url, storage_state=sessions.get(name), **options))
        return people[-1]

    yield visit
    complaints = [complaint for person in people for complaint in person.complaints()]
    for person in people:
        person.leave()
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def ada(visit: Callable[..., Person]) -> Person:
    return visit("ada")


@pytest.fixture
def bob(visit: Callable[..., Person]) -> Person:
    return visit("bob")


@pytest.fixture(scope="session")
def silent_fans(stack: Stack) -> Iterator[dict]:
    """Fans of the example file, known to the platform, with whom nobody has spoken; each is given out once. Nobody else
    is called so, nor has a name that holds theirs: a row is found by it."""
    spoken = {each["fanId"] for each in stack.call("GET", "/api/crm/conversations?limit=200")["conversations"]}
    with (ROOT / "examples/fans.csv").open(newline="") as file:
        names = [row["Display Name"] for row in csv.DictReader(file)]
    fans = (stack.fan(number) for number in range(300, 1000) if number not in spoken)
    return (fan for fan in fans if sum(fan["name"] in name for name in names) == 1)


@pytest.fixture
def fan(silent_fans: Iterator[dict]) -> dict:
    return next(silent_fans)


@pytest.fixture(scope="session")
def doubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeStack]:
    """Two web processes on one database and one Valkey, to be killed as one likes."""
    instance = tmp_path_factory.mktemp("doubled") / "instance"
    settings = {"WEB_CONCURRENCY": "2", "GREENROOM_PACE": "1000/1", "GREENROOM_LIMIT_SIGN_IN": "1000/minute"}
    with WholeStack(instance, **settings) as stack:
        stack.start()
        stack.sandbox.quieten()
        add_person(stack.environment, **BOB, role="chatter")
        yield stack


@pytest.fixture(scope="session")
def signed_in(doubled: WholeStack, chromium: Browser) -> dict[str, Any]:
    kept = {}
    for name, who in (("ada", DEMO), ("bob", BOB)):
        person = Person(chromium, doubled.url)
        person.sign_in(**who)
        kept[name] = person.context.storage_state()
        person.leave()
    return kept


@pytest.fixture
def arrive(doubled: WholeStack, chromium: Browser, signed_in: dict[str, Any]) -> Iterator[Callable[..., Person]]:
    """Somebody at a window, over a line of their own."""
    with ExitStack() as leaving:

        def arrive(name: str, path: str) -> Person:
            line = Line(doubled.port)
            leaving.callback(line.cut)
            person = Person(chromium, line.url, storage_state=signed_in[name])
            leaving.callback(person.leave)
            person.line = line
            person.expects(BROKEN_LINE)
            person.page.goto(path)
            expect(person.badge()).to_have_text("Live")
            person.mark()
            return person

        yield arrive
