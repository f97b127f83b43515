"""What goes out compressed, and what for safety's sake does not."""

import gzip
import re

import pytest

from tests.people import Person

BROWSER = {"Accept-Encoding": "gzip", "Sec-Fetch-Site": "same-origin"}


def test_a_page_that_our_own_page_asked_for(ada: Person):
    answer = ada.browser().get("/messages/onlyfans", headers=BROWSER)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert len(answer.data) < len(gzip.decompress(answer.data)) / 3
    assert b"csrf_token" in gzip.decompress(answer.data)


@pytest.mark.parametrize("site", ["cross-site", "same-site", None])
def test_a_page_that_another_site_may_have_made_the_browser_ask_for_tells_nothing_by_its_length(ada: Person, site):
    headers = {"Accept-Encoding": "br, gzip"} | ({"Sec-Fetch-Site": site} if site else {})
    answer = ada.browser().get("/messages/onlyfans", headers=headers)
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize("name", ["app.css", "live.js", "favicon.svg"])
def test_our_files_whoever_asks_and_kept_for_good(ada: Person, name: str):
    client = ada.browser()
    page = client.get("/messages/onlyfans").text
    found = re.search(rf"/static/{re.escape(name)}\?v=\w+", page)
    assert found
    plain = client.get(found[0])
    packed = client.get(found[0], headers={"Accept-Encoding": "gzip"})
    if len(plain.data) > 500:
        assert gzip.decompress(packed.data) == plain.data
    assert "immutable" in packed.headers["Cache-Control"]
    again = client.get(found[0], headers={"Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]})
    assert again.status_code == 304
