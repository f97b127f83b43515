"""No page is forgotten by the tests that look at every page: for its title, its width on a phone, and by axe-core."""

import re

from apiflask import APIFlask

from tests.browser.test_pages import PATHS
from tests.browser.ways import COME_TO

NO_PAGES = {  # parts of one, files, and addresses that lead on
    "accounts.home", "accounts.export_audit", "analytics.export", "campaigns.ledger", "campaigns.more_media",
    "campaigns.progress", "conversations.fan_card", "conversations.handling", "conversations.leave_compose",
    "conversations.newer", "conversations.next_waiting", "conversations.older", "conversations.show_chosen",
    "fans.export", "imports.example", "imports.progress", "imports.rows_csv", "media.show", "operations.healthz",
    "operations.readyz", "operations.show_metrics", "portability.download_export", "portability.export_fan",
    "portability.leave_progress", "segments.count", "static",
}  # fmt: skip


def test_every_page_is_looked_at(app: APIFlask):
    addresses = app.url_map.bind("localhost")
    seen = {addresses.match(re.sub(r"\{\w+\}", "1", path).partition("?")[0])[0] for path in (*PATHS, *COME_TO)}
    pages = {
        rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and rule.rule[:5] != "/api/"
    }
    assert pages - seen == NO_PAGES
