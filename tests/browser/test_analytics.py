"""From a figure to its rows to their file, by keyboard; without scripts; read by ear, and with either colours."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.person import Person
from tests.browser.stack import Stack
from tests.browser.test_accessibility import THEMES, faults
from tests.browser.test_pages import PHONE, too_wide
from tests.servers import wait_until

STATEMENT = """Transaction ID,Date,Type,Amount,Net,Username
s1,2024-05-02 10:00:00,Tip,50.00,40.00,wide_wanda
s2,2024-05-03 23:30:00,Subscription,9.99,,wide_wanda
s3,2024-05-03 12:00:00,Refund,-20.00,-16.00,wide_wanda
s4,2024-05-31 12:00:00,Message,15.00,12.00,tall_tom
s5,2024-06-01 00:00:00,Tip,99.00,80.00,tall_tom
"""
MAY = "/platforms/onlyfans/analytics?from=2024-05-01&through=2024-05-31"


@pytest.fixture(scope="module")
def statement(stack: Stack) -> None:
    file = {"file": ("may.csv", STATEMENT.encode(), "text/csv")}
    said = {"kind": "transactions", "timezone": "UTC"}
    made = stack.call("POST", "/api/onlyfans/import/csv", files=file, data=said)
    import_ = f"/api/onlyfans/import/{made['importId']}"  # on a busy machine the call does not wait for its end
    wait_until(lambda: stack.call("GET", import_)["status"] == "completed", 60)
    assert stack.call("GET", import_)["summary"]["successfulInserts"] == 5


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
@pytest.mark.parametrize("theme", THEMES)
def test_from_a_figure_to_its_rows_to_their_file_by_keyboard(
    visit: Callable[..., Person], statement, tmp_path: Path, theme: str, scripts: bool
):
    ada = visit("ada", color_scheme=theme, java_script_enabled=scripts)
    page, keys = ada.page, ada.page.keyboard
    page.goto("/messages/onlyfans")
    ada.tab_to("Analytics")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Analytics")).to_be_visible()
    expect(page.get_by_role("link", name="30 days")).to_have_attribute("aria-current", "page")
    for name, typed in (("From", "05012024"), ("Through", "05312024")):
        ada.tab_to(name)
        keys.type(typed)
    ada.tab_to("Show")
    keys.press("Enter")
    expect(page).to_have_url(re.compile("from=2024-05-01&through=2024-05-31&timezone=UTC"))
    card = page.locator(".figure-card", has_text="Revenue").first
    expect(card.locator(".figure-value")).to_have_text("$54.99")
    ada.tab_to("Revenue")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Payments")).to_be_visible()
    expect(page.get_by_role("status").first).to_contain_text("4 rows, $54.99 gross, $36.00 net")
    ada.tab_to("Export CSV")
    with page.expect_download() as download:
        keys.press("Enter")
    download.value.save_as(tmp_path / "rows.csv")
    rows = list(csv.DictReader((tmp_path / "rows.csv").open(newline="")))
    assert [row["Transaction ID"] for row in rows] == ["s4", "s2", "s3", "s1"]
    assert sum(int(row["Amount"].replace(".", "")) for row in rows) == 5499
    ada.tab_to("Analytics", key="Shift+Tab")
    keys.press("Enter")
    expect(page).to_have_url(re.compile("from=2024-05-01"))


def test_another_time_zone_is_chosen_by_keyboard_and_goes_along(ada: Person, statement):
    page, keys = ada.page, ada.page.keyboard
    page.goto(MAY)
    ada.tab_to("Time zone")
    keys.type("America/New_Y")
    ada.tab_to("Show")
    keys.press("Enter")
    expect(page).to_have_url(re.compile("timezone=America%2FNew_York"))
    expect(page.locator(".figure-card", has_text="Revenue").first.locator(".figure-value")).to_have_text("$153.99")
    ada.tab_to("Revenue")
    keys.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("5 rows, $153.99 gross")
    ada.tab_to("Analytics", key="Shift+Tab")
    keys.press("Enter")
    expect(page.get_by_label("Time zone")).to_have_value("America/New_York")


def test_the_chart_is_drawn_from_the_table_beneath_it(ada: Person, statement):
    page = ada.page
    page.goto(MAY)
    expect(page.locator("[data-chart] canvas")).to_be_visible()
    expect(page.locator("#trend")).to_be_hidden()
    page.get_by_text("The numbers as a table").click()
    expect(page.locator("#trend tfoot")).to_contain_text("$54.99")
    page.locator("#trend").get_by_role("link", name="-$20.00").first.click()
    expect(page.get_by_role("status").first).to_contain_text("1 row, -$20.00 gross")


def test_all_of_it_is_there_without_scripts(stack: Stack, visit: Callable[..., Person], statement):
    ada = visit("ada", java_script_enabled=False)
    page = ada.page
    page.goto("/platforms/onlyfans/analytics")
    page.get_by_label("From").fill("2024-05-01")
    page.get_by_label("Through").fill("2024-05-31")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("canvas")).to_be_hidden()
    page.get_by_text("The numbers as a table").click()
    expect(page.locator("#trend tfoot")).to_contain_text("$54.99")
    page.locator(".figure-card", has_text="Paying fans").click()
    expect(page.get_by_role("status").first).to_have_text("2 rows")
    page.goto("/platforms/onlyfans/analytics?from=2024-05-02&through=2024-05-01")
    ada.expects("status of 400")
    expect(page.get_by_text("must lie before the end of the period")).to_be_visible()


@pytest.mark.parametrize("theme", THEMES)
def test_it_has_no_fault_and_fits_a_phone(visit: Callable[..., Person], statement, theme: str):
    wrong = []
    for size in ({"width": 1400, "height": 900}, PHONE):
        ada = visit("ada", color_scheme=theme, viewport=size)
        for path in (MAY, MAY.replace("analytics?", "analytics/rows?report=transactions&"), f"{MAY}&period=30"):
            ada.page.goto(path)
            if summary := ada.page.locator(".chart-table summary").all():
                summary[0].click()
            wrong += faults(ada)
            assert not too_wide(ada), path
    assert not wrong, "\n".join(wrong)
