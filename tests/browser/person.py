"""Someone at a browser window, who hears every error of the page."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Route, expect

from app import assets
from tests.browser.line import Line

PATIENCE_MS = 10_000
SENT = re.compile("sent|delivered|read")  # the platform took it; the demo platform soon says more
COPIES = {asset.address: assets.VENDOR / asset.local_name for asset in assets.ASSETS}
TYPES = {".css": "text/css", ".js": "application/javascript"}
expect.set_options(timeout=PATIENCE_MS)


NAME = """(() => {
  const here = document.activeElement;
  return (here.getAttribute("aria-label") ?? here.labels?.[0]?.innerText ?? here.labels?.[0]?.textContent
    ?? here.innerText ?? "").trim().split("\\n")[0];
})()"""


class Person:
    def __init__(self, browser: Browser, url: str, *, cdn: bool | None = True, **options: Any) -> None:
        """cdn: whether it answers. None: no address is answered by the test, and so the browser keeps what it has had."""
        options.setdefault("viewport", {"width": 1400, "height": 900})
        self.line: Line | None = None  # theirs alone, where a test gives them one
        self.has_script = options.get("java_script_enabled", True)
        self.context = browser.new_context(base_url=url, locale="en-US", **options)
        self.context.set_default_timeout(PATIENCE_MS)
        if cdn is not None:
            self.context.route(f"{assets.CDN}/**", self._answer_for_cdn if cdn else lambda route: route.abort())
        self.taken_from_cdn: list[str] = []
        self._heard: list[str] = []
        self._expected: list[str] = []
        self.page = self.context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self._heard.append(f"uncaught: {error}"))
        self.page.on("crash", lambda _: self._heard.append("the page crashed"))

    def _answer_for_cdn(self, route: Route) -> None:
        """The real files from the address the page names, so that hashes and CSP are really checked."""
        file: Path | None = COPIES.get(route.request.url)
        assert file is not None, f"not in the table of assets: {route.request.url}"
        self.taken_from_cdn.append(route.request.url)
        headers = {"access-control-allow-origin": "*", "content-type": TYPES[file.suffix]}
        route.fulfill(body=file.read_bytes(), headers=headers)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._heard.append(f"{message.type} at {self.page.url}: {message.text}")

    def expects(self, pattern: str) -> None:
        """An error the console may show in this test, and why is plain from the test."""
        self._expected.append(pattern)

    def complaints(self) -> list[str]:
        return [heard for heard in self._heard if not any(re.search(each, heard) for each in self._expected)]

    def leave(self) -> None:
        self.context.close()

    @contextmanager
    def second_window(self) -> Iterator[Page]:
        """Of the same person, at the same address."""
        page = self.context.new_page()
        page.goto(self.page.url)
        yield page
        page.close()

    def sign_in(self, email: str, password: str) -> None:
        self.page.goto("/login")
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", name="Inbox")).to_be_visible()

    def say_password(self, email: str, password: str) -> None:
        """As far as the code, whose field has the focus."""
        self.page.goto("/login")
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("textbox", name="Code")).to_be_focused()

    # --- A thread ---

    def open_conversation(self, fan: dict) -> None:
        """By the button on the fan's page, as a person does."""
        self.page.goto(f"/fans/{fan['id']}")
        self.page.get_by_role("button", name="Open conversation").click()
        expect(self.composer).to_be_visible()
        if self.has_script:
            expect(self.badge()).to_have_text("Live")

    @property
    def composer(self) -> Locator:
        return self.page.locator("#composer textarea")

    def write(self, text: str) -> None:
        self.composer.fill(text)
        self.page.get_by_role("button", name="Send", exact=True).click()

    def texts(self) -> list[str]:
        return self.page.locator("#messages .message-text").all_inner_texts()

    def message(self, text: str) -> Locator:
        return self.page.locator("#messages > .message", has_text=text)

    def read(self, text: str) -> None:
        """Looks at a message until it counts as seen: an answer before that would be stopped once."""
        row = self.message(text)
        expect(row).to_be_visible()
        self.read_row(row)

    def read_row(self, row: Locator) -> None:
        expect(self.page.locator("#composer [name=seen]")).to_have_value(str(row.get_attribute("data-row")))

    def badge(self) -> Locator:
        """What the page says about its line: the one that is shown of the list's and the thread's."""
        return self.page.locator("[data-live]:visible")

    # --- The page itself ---

    def tab_to(self, name: str, most: int = 60, key: str = "Tab") -> None:
        """Presses Tab, or Shift+Tab, until the next control of that name has the focus."""
        for _ in range(most):
            self.page.keyboard.press(key)
            if self.page.evaluate(NAME) == name:
                return
        raise AssertionError(f"{most} times {key} do not reach {name!r}")

    def begin_rule(self, name: str, tag: str) -> None:
        """A new segment of the fans with a tag, by keyboard, from the list of segments; not saved yet."""
        self.tab_to("New segment")
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("heading", name="New segment")).to_be_visible()
        self.tab_to("Name")
        self.page.keyboard.type(name)
        self.tab_to("Add a condition")
        self.page.keyboard.press("Enter")
        expect(self.page.locator("#line-0-0-value")).to_be_visible()
        self.tab_to("With what", key="Shift+Tab")
        self.page.keyboard.type(tag)

    def mark(self) -> None:
        """Leaves a mark that a reload would wipe away."""
        self.page.evaluate("window.notReloaded = true")

    def was_reloaded(self) -> bool:
        return not self.page.evaluate("window.notReloaded === true")
