"""A page whose CDN answers, refuses, lies, hangs, or comes too late."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

from app import assets
from tests.browser.conftest import ARGUMENTS
from tests.test_assets import page_app


@pytest.fixture(scope="module")
def address():
    server = make_server("127.0.0.1", 0, page_app(), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


needs_copies = pytest.mark.skipif(bool(assets.missing()), reason="no local copies yet: python -m app.assets")

COUNT_RUNS = """
    window.runs = {};
    for (const name of ["htmx", "io"]) {
      let value;
      Object.defineProperty(window, name, {
        configurable: true,
        get: () => value,
        set: (next) => { value = next; window.runs[name] = (window.runs[name] ?? 0) + 1; },
      });
    }
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
    document.addEventListener("DOMContentLoaded", () => {
      window.ready = [];
      for (const name of ["htmx", "io"]) {
        window.greenroom.whenReady(name, () => {
          window.ready.push(name);
          if (window.ready.length === 2) document.documentElement.dataset.ready = "";
        });
      }
    });
"""
SEEN = """() => ({
    runs: window.runs, ready: window.ready.sort(), violations: window.violations,
    sheets: [...document.styleSheets].map((sheet) => new URL(sheet.href).host),
    styled: getComputedStyle(document.querySelector(".btn")).display,
})"""


def _visit(address: str, cdn: str) -> dict:
    """Opens the page with a CDN of the given kind. In a thread of its own: Playwright allows one loop per thread."""
    held = []

    def answer(route, spoil=b""):
        name = route.request.url.rsplit("/", 1)[1]
        kind = "text/css" if name.endswith("css") else "text/javascript"
        route.fulfill(
            body=(assets.VENDOR / name).read_bytes() + spoil,
            content_type=kind,
            headers={"Access-Control-Allow-Origin": "*"},
        )

    handlers = {
        "answers": lambda route: answer(route),
        "refuses": lambda route: (held.append(route), route.abort()),
        "lies": lambda route: (held.append(route), answer(route, b"/* not what was reviewed */")),
        "hangs": lambda route: held.append(route),
        "is late": lambda route: held.append(route),
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        context = browser.new_context()
        context.route("https://cdn.jsdelivr.net/**", handlers[cdn])
        context.add_init_script(COUNT_RUNS)
        page = context.new_page()
        page.goto(address, wait_until="commit")
        page.wait_for_selector("html[data-ready]", timeout=10_000)  # wait_for_function needs eval: the CSP forbids it
        if cdn == "is late":
            for route in held:
                answer(route)
            page.wait_for_timeout(400)
        seen = page.evaluate(SEEN)
        asked = len(held)
        if cdn != "answers":  # the next page is told at once, and its load event is not held up
            page.goto(address, wait_until="load")
            page.wait_for_selector("html[data-ready]", timeout=1_000)
            seen["asked again"] = len(held) - asked
        browser.close()
    return seen


@needs_copies
@pytest.mark.parametrize("cdn", ["answers", "refuses", "lies", "hangs", "is late"])
def test_a_page_is_styled_and_alive_and_runs_each_script_once_when_the_cdn(cdn, address):
    with ThreadPoolExecutor(max_workers=1) as thread:
        seen = thread.submit(_visit, address, cdn).result()
    assert seen["runs"] == {"htmx": 1, "io": 1}
    assert seen["ready"] == ["htmx", "io"]
    assert seen["violations"] == []
    assert seen["styled"] == "inline-flex"
    assert ("cdn.jsdelivr.net" in seen["sheets"]) == (cdn == "answers")
    assert not seen.get("asked again")
