"""The whole account as a file, by the keyboard alone: from the button to the download, written by a real worker."""

import zipfile
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.person import Person
from tests.browser.test_accessibility import faults


def test_begin_watch_download_and_delete(ada: Person, tmp_path: Path):
    page, keys = ada.page, ada.page.keyboard
    page.goto("/settings/leave")
    expect(page.get_by_text("No file yet")).to_be_visible()
    ada.tab_to("Begin the export")
    keys.press("Enter")
    download = page.get_by_role("link", name="Download greenroom-ada-green-")
    expect(download).to_be_visible(timeout=60_000)
    assert not faults(ada)

    name = str(download.get_attribute("aria-label"))
    ada.tab_to(name)
    with page.expect_download() as found:
        keys.press("Enter")
    found.value.save_as(tmp_path / "left.zip")
    assert found.value.suggested_filename == name.removeprefix("Download ")
    with zipfile.ZipFile(tmp_path / "left.zip") as file:
        assert file.testzip() is None
        assert b"Ada Green" in file.read("manifest.json")

    ada.tab_to(name.replace("Download", "Delete"))
    keys.press("Enter")
    assert not faults(ada)
    ada.tab_to("Delete the file")
    keys.press("Enter")
    expect(page.get_by_text("Somebody deleted it.")).to_be_visible()
    expect(download).to_have_count(0)
