"""Lines that break again and again, and people who write all the while."""

import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.browser.line import Line
from tests.servers import http_client, wait_until

LIVES_SECONDS = (0.05, 0.5)


@contextmanager
def breaking(lines: list[Line]) -> Iterator[None]:
    """Each line breaks 50 to 500 ms after somebody came through, until the end."""
    is_over = threading.Event()

    def break_it(line: Line) -> None:
        while not is_over.is_set():
            if not line.is_in_use():
                time.sleep(0.01)
            elif not is_over.wait(random.uniform(*LIVES_SECONDS)):
                line.drop()

    threads = [threading.Thread(target=break_it, args=(line,), daemon=True) for line in lines]
    for each in threads:
        each.start()
    try:
        yield
    finally:
        is_over.set()
        for each in threads:
            each.join(5)


def at_once(*tasks: Callable[[], None], meanwhile: Callable[[], object], seconds: float) -> None:
    """Runs the tasks side by side. Raises what one of them raised."""
    raised: list[BaseException] = []

    def run(task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(task,), daemon=True) for task in tasks]
    for each in threads:
        each.start()
    wait_until(lambda: (meanwhile() and raised) or not any(each.is_alive() for each in threads), seconds)
    for error in raised:
        raise error


class Desk:
    """Somebody's notes in a thread, by the forms of its page."""

    def __init__(self, url: str, cookie: str, conversation_id: int) -> None:
        self._http = http_client(url, headers={"Cookie": cookie})
        self._thread = f"/messages/onlyfans/{conversation_id}"
        page = self._http.get(self._thread).raise_for_status().text
        self._token = _value(r'name="csrf_token"[^>]*value="([^"]+)"', page)

    def note(self, text: str) -> int:
        answer = self._post(self._thread, mode="note", text=text)
        return int(_value(r'id="note-(\d+)"', answer))

    def change(self, note_id: int, text: str) -> None:
        self._post(f"/messages/onlyfans/notes/{note_id}", do="save", text=text)

    def delete(self, note_id: int) -> None:
        self._post(f"/messages/onlyfans/notes/{note_id}", do="delete")

    def mark_all_unread(self) -> None:
        wish = {"which": "all", "do": "unread"}
        asked = self._post("/messages/onlyfans/triage", **wish)
        self._post("/messages/onlyfans/triage", **wish, confirmed=_value(r'name="confirmed" value="(\d+)"', asked))

    def _post(self, path: str, **fields: str) -> str:
        headers = {"HX-Request": "true"}
        answer = self._http.post(path, data=fields | {"csrf_token": self._token}, headers=headers)
        assert answer.status_code in (200, 302), f"{path}: {answer.status_code} {answer.text}"
        return answer.text


def _value(pattern: str, html: str) -> str:
    found = re.search(pattern, html)
    assert found, f"no {pattern} in the page"
    return found[1]
