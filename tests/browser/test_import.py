"""A file from the upload to the undo, by the keyboard alone."""

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.person import Person

OPEN_DATES = (
    "Username,Display Name,Last Seen,Lucky number\nkeys_kim,Kim Keys,03/04/2026,7\nkeys_lou,Lou Keys,05/06/2026,8\n"
)


def test_upload_columns_rehearsal_apply_and_undo(ada: Person, tmp_path: Path):
    file = tmp_path / "keys.csv"
    file.write_text(OPEN_DATES)
    page, keys = ada.page, ada.page.keyboard
    ada.expects("status of 400")  # the first time, the question about dates is left open
    page.goto("/imports")
    ada.tab_to("File")
    page.locator("input:focus").set_input_files(file)  # the system's own window for files is not ours to press keys in
    ada.tab_to("Upload")
    keys.press("Enter")

    expect(page.get_by_role("heading", name="keys.csv")).to_be_visible()
    question = page.locator(".field-error", has_text="Last Seen")
    expect(question).to_be_visible()
    ada.tab_to("Read Lucky number as")
    keys.type("a field of your own")
    ada.tab_to("Rehearse")
    keys.press("Enter")
    expect(page.get_by_label("Read Lucky number as")).to_have_value("custom")
    expect(question).to_be_visible()
    ada.tab_to("Dates")
    keys.type("day")
    ada.tab_to("Rehearse")
    keys.press("Enter")

    expect(page.get_by_role("button", name="Apply 2 rows")).to_be_visible()
    expect(page.get_by_role("row", name="keys_kim")).to_contain_text("2026-04-03")
    ada.tab_to("Apply 2 rows")
    keys.press("Enter")
    status = page.locator("#import .state").first
    expect(status).to_contain_text("Completed")

    ada.tab_to("Undo")
    keys.press("Enter")
    ada.tab_to("Undo the whole import")
    keys.press("Enter")
    expect(status).to_contain_text("Undone")
    page.goto("/fans?search=keys_kim")
    expect(page.get_by_text("keys_kim")).to_have_count(0)
