"""Finding messages: words, phrases and operators; what is written, changed and deleted shows at once."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.conversations import operators, search, search_views, whose, word_index
from app.conversations.models import Conversation, Message
from app.conversations.operators import Wanted, read, read_words
from app.conversations.words import Phrase, excerpt, words_in
from app.database import utcnow, write
from tests.people import Person, add_fan

SIGNS = ['"', "'", "\\", "*", "%", "_", "#a1", "#", ":", "-", "(", ")", "&", "|", "!", "<->", "\0", "😀", "👩‍👩‍👧", " "]
WORDS = [
    "AND",
    "OR",
    "NEAR(",
    "שלום",
    "日本語",
    "ÄPFEL",
    "ﬁ",
    "from:",
    "tag:",
    "spent:>",
    "before:9999-12-31",
    "is:unread",
]
GLANCE = {"HX-Request": "true", "HX-Target": "div#quick-found"}
SPECIAL = st.sampled_from([*SIGNS, *WORDS, "before:0001-01-01"])
HOSTILE = st.lists(SPECIAL | st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=12).map("".join)


def thread(person: Person, number: int = 1, **fan) -> int:
    made = add_fan(person, number, **fan)
    return person.post("/api/crm/conversations", {"fanId": made["id"]})["id"]


def say(person: Person, conversation_id: int, text: str, **values) -> int:
    """A message in a thread, by the fan unless said otherwise."""
    with person.app.app_context(), write() as session:
        conversation = session.get_one(Conversation, conversation_id)
        message = Message(
            account_id=person.account_id, conversation_id=conversation_id, fan_id=conversation.fan_id, connection_id=None,
            text=text, **({"direction": "in", "status": "received"} | values),
        )  # fmt: skip
        session.add(message)
        session.flush()
        return message.id


def found(person: Person, said: str, **options) -> list[int]:
    with person.app.app_context():
        page = search.find_messages(person.account_id, person.user_id, read(said, "Europe/Berlin"), limit=50, **options)
        return [message.id for message in page.rows]


@pytest.fixture(params=["newest", "threads", "index"])
def either_way(request, monkeypatch) -> None:
    """All ways of finding must find the same: here each has to do without the ones before."""
    if request.param != "newest":
        monkeypatch.setattr(search, "NEWEST_LOOKED_THROUGH", 1)
    if request.param == "index":
        read_no_threads(monkeypatch)


def read_no_threads(monkeypatch) -> None:
    for name in ("MOST_READ", "MOST_READ_FOR_WORDS"):
        monkeypatch.setattr(whose, name, 0)


@pytest.mark.usefixtures("either_way")
def test_words_are_found_by_case_accent_beginning_and_side_by_side(ada: Person):
    here = thread(ada)
    one = say(ada, here, "Grüne ÄPFEL in der Straße, 100% frisch 😀")
    two = say(ada, here, "green apples: don't tell @moon_child")
    for said in (
        "äpfel",
        "APFEL",
        "apf",
        "strasse",
        "100%",
        "%",
        "😀",
        "frisch grune",
        '"in der"',
        "der str",
        '"100%"',
    ):
        assert found(ada, said) == [one], said
    for said in ("don't", "@moon_child", '"green apples"', "moon", "tell", '"apples don', "apples-don't"):
        assert found(ada, said) == [two], said
    for said in ("pfel", "apf in", '"der in"', '"apf"', "grune tell", "?!"):
        assert found(ada, said) == [], said
    assert found(ada, "") == [two, one]


@pytest.mark.usefixtures("either_way")
def test_operators_say_who_what_and_when(ada: Person):
    vip = thread(ada, 1, name="Zoë Vance", tags=["VIP", "Big spender"], valueCents=50_000)
    other = thread(ada, 2, valueCents=1_000)
    fans = say(ada, vip, "word", created_at=datetime(2026, 4, 30, 21, 59, tzinfo=UTC))
    mine = say(
        ada,
        vip,
        "word",
        direction="out",
        status="sent",
        author_id=ada.user_id,
        created_at=datetime(2026, 4, 30, 22, tzinfo=UTC),
    )
    paid = say(
        ada, other, "word", direction="out", status="sent", price_cents=900, attachments=[{"url": "/media/1", "type": "photo"}],
        created_at=datetime(2026, 5, 2, tzinfo=UTC),
    )  # fmt: skip
    with ada.app.app_context(), write() as session:
        session.get_one(Conversation, other).unread_count = 2
    for said, wanted in {
        "from:fan": [fans], "from:us": [paid, mine], "from:me word": [mine], "from:@FAN1": [fans], "from:zoe": [fans],
        'from:"oë v" word': [fans], "has:ppv": [paid], "has:media word": [paid], "bought:no": [paid], "bought:yes": [],
        "tag:vip": [mine, fans], 'tag:"big spender" tag:VIP': [mine, fans], "spent:>100": [mine, fans], "spent:<50": [paid],
        "spent:>500": [], "spent:>=500": [mine, fans], "is:unread": [paid], "is:archived": [], "IS:UNREAD wor": [paid],
        "before:2026-05-01": [fans], "after:2026-05-01": [paid, mine], "after:2026-05-01 before:2026-05-02 word": [mine],
    }.items():  # fmt: skip
        assert found(ada, said) == wanted, said


def test_what_is_not_understood_is_said_and_the_rest_still_works(ada: Person):
    here = say(ada, thread(ada), "roses at 10:30, see https://example.com")
    for said in (
        "form:fan",
        "has:note",
        "is:tired",
        "spent:100",
        "spent:>lots",
        "before:yesterday",
        "after:2026-02-30",
        "tag:",
        "from:",
        "bought:maybe",
    ):
        wanted = read(f"{said} roses", "UTC")
        assert len(wanted.problems) == 1, said
        assert said.partition(":")[0] in wanted.problems[0]
        assert found(ada, f"{said} roses") == [here]
    assert read("roses 10:30 https://example.com", "UTC").problems == ()
    assert found(ada, "10:30 https://example.com") == [here]


@pytest.mark.usefixtures("either_way")
def test_what_is_written_changed_and_deleted_shows_at_once(app, ada: Person):
    here = thread(ada)
    first = say(ada, here, "about horses")
    with app.app_context(), write() as session:
        session.get_one(Message, first).text = "about ponies"
    assert (found(ada, "horses"), found(ada, "ponies")) == ([], [first])
    with app.app_context(), write() as session:
        session.get_one(Message, first).purchased = True
        session.get_one(Message, first).price_cents = 500
    assert found(ada, "bought:yes ponies") == [first]
    with app.app_context(), write() as session:
        session.delete(session.get_one(Message, first))
    assert found(ada, "ponies") == []
    say(ada, here, "more ponies")
    fan = ada.get("/api/crm/conversations")["conversations"][0]["fanId"]
    ada.call("DELETE", f"/api/crm/fans/{fan}")
    assert found(ada, "ponies") == []
    assert indexed(app) == 0


def indexed(app) -> int:
    from app.database import db

    with app.app_context():
        if db.engine.dialect.name == "postgresql":
            return db.session.scalar(db.text("SELECT count(*) FROM message_words")) or 0
        with write():
            db.session.execute(db.text("INSERT INTO message_words (message_words) VALUES ('integrity-check')"))
        words = 'SELECT count(*) FROM message_words WHERE message_words MATCH \'"more" OR "about"\''
        return db.session.scalar(db.text(words)) or 0


@pytest.mark.usefixtures("either_way")
def test_nobody_finds_what_another_account_says(ada: Person, eve: Person):
    secret = say(ada, thread(ada, name="Ann"), "the secret word", price_cents=900)
    hers = say(eve, thread(eve, name="Ann"), "the word")
    for said in ("word", "has:ppv", "from:ann", "spent:>=0", "the wor", "#a1", f"#a{ada.account_id} word"):
        assert secret not in found(eve, said), said
    assert found(eve, "word") == [hers]


@pytest.mark.usefixtures("either_way")
def test_pages_hold_each_message_once_however_far_apart_in_time(ada: Person):
    here = thread(ada)
    start = utcnow()
    made = [
        say(ada, here, f"wine {number}", created_at=start - timedelta(days=number * number)) for number in range(30)
    ]
    same = [say(ada, here, "wine at one moment", created_at=start - timedelta(days=2000)) for _ in range(5)]
    seen: list[int] = []
    cursor = None
    while True:
        with ada.app.app_context():
            page = search.find_messages(ada.account_id, 0, read("win", "UTC"), limit=4, cursor=cursor, counted=True)
            seen += [message.id for message in page.rows]
        assert page.total == 35
        if not (cursor := page.next_cursor):
            break
    assert seen == made + same[::-1]


@pytest.mark.parametrize(
    ("said", "common"),
    [("wine", 10), ("wine tag:vip", 10), ("wine tag:vip", 1), ('wine from:"rosa"', 1), ("is:unread wine", 1)],
)
def test_whoever_has_no_patience_comes_to_the_same_step_by_step(ada: Person, monkeypatch, said: str, common: int):
    """In the index from month to month, or through the newest where the words are common: `common` of the sample."""
    monkeypatch.setattr(search, "NEWEST_LOOKED_THROUGH", 3)
    monkeypatch.setattr(search, "COMMON", common)
    read_no_threads(monkeypatch)
    here, other = thread(ada, 1, name="Rosa", tags=["VIP"]), thread(ada, 2)
    with ada.app.app_context(), write() as session:
        session.get_one(Conversation, here).unread_count = 1
    now = utcnow()
    for number in range(40):
        say(ada, here if number % 7 == 0 else other, f"wine {number}", created_at=now - timedelta(days=5 * number))
    whole = found(ada, said)
    assert len(whole) == (40 if said == "wine" else 6)
    seen, steps, cursor = list[int](), 0, None
    while steps == 0 or cursor:
        with ada.app.app_context():
            page = search.find_messages(ada.account_id, 0, read(said, "UTC"), limit=4, cursor=cursor, patience=0)
            seen += [message.id for message in page.rows]
            assert (page.looked_back_to is not None) == (page.next_cursor is not None and len(page.rows) < 4)
        steps, cursor = steps + 1, page.next_cursor
    assert seen == whole
    assert steps > (10 if common == 1 else 6), "no more than a step at once"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=HOSTILE, said=HOSTILE)
def test_any_text_is_found_by_its_own_words_and_any_search_is_safe(app, ada: Person, text: str, said: str):
    text = text.replace("\0", "")
    fans = ada.get("/api/crm/conversations")["conversations"]
    here = fans[0]["id"] if fans else thread(ada)
    made = say(ada, here, text)
    with app.app_context():
        for wanted in (
            Wanted(phrases=tuple(Phrase((word,)) for word in words_in(text))),
            read(said, "UTC"),
            read_words(said),
        ):
            by_walk = search.find_messages(ada.account_id, 0, wanted, limit=50)
            walked = [message.id for message in by_walk.rows]
            looked_up = [] if wanted.words and not wanted.phrases else _look_up(ada, wanted)
            assert walked == looked_up
        if words_in(text):
            wanted = Wanted(phrases=(Phrase(tuple(words_in(text))),))
            assert made in [message.id for message in search.find_messages(ada.account_id, 0, wanted, limit=50).rows]
        assert "".join(piece.text for piece in excerpt(text, wanted.phrases, 10_000)) == text
    assert ada.call("GET", "/api/crm/messages", query_string={"search": said.replace("\0", "")}).status_code == 200


def _look_up(person: Person, wanted: Wanted) -> list[int]:
    by = search.Search(person.account_id, 0, wanted, limit=50)
    found = [search._found(by, word_index.in_index(0, wanted))]
    threads = whose.few_threads(person.account_id, wanted)
    found += [search._found(by, [], threads=threads)] if threads is not None else []
    one, *others = [[row[0].id for row in search._newest_found(each, by, None)][:50] for each in found]
    assert others in ([], [one])
    return one


def test_what_was_searched_for_is_marked_in_what_was_written():
    def marked(text: str, said: str, around: int = 120) -> str:
        pieces = excerpt(text, read(said, "UTC").phrases, around)
        return "".join(f"[{piece.text}]" if piece.is_found else piece.text for piece in pieces)

    assert marked("Die STRASSE, die Straße", "straß") == "Die [STRASSE], die [Straße]"
    assert marked("A cafe\u0301 <b>", "café") == "A [cafe\u0301] <b>"
    assert marked("one two one three", '"one three"') == "one two [one three]"
    assert marked("x" * 300 + " rose " + "y" * 300, "rose", 5) == "…xxxx [rose] yyyyyyyyy…"
    assert marked("nothing here", "rose") == "nothing here"
    assert operators.read('a "b c" d', "UTC").phrases == (Phrase(("a",)), Phrase(("b", "c")), Phrase(("d",), True))


# --- The page ---


def test_the_page_shows_who_said_what_and_leads_to_it(ada: Person):
    here = thread(ada, name="Rosa <Lee>")
    made = say(ada, here, "Red <i>roses</i> for you")
    page = ada.browser().get("/messages/onlyfans/search?q=rose").text
    assert "Red &lt;i&gt;<mark>roses</mark>&lt;/i&gt; for you" in page
    assert f'href="/messages/onlyfans/{here}?at={made}#message-{made}"' in page
    fans = ada.browser().get("/messages/onlyfans/search?q=rosa").text
    assert "Rosa &lt;Lee&gt;" in fans
    assert f'href="/messages/onlyfans/{here}"' in fans
    assert "fans</a>" not in fans
    for number in range(2, 8):
        add_fan(ada, number, name=f"Rosa {number}", tags=["VIP"])
    assert '<a class="found-more" href="/fans?search=rosa&amp;tag=vip">All 6 fans</a>' in (
        ada.browser().get("/messages/onlyfans/search?q=rosa+tag:vip").text
    )
    assert "Nothing found" in ada.browser().get("/messages/onlyfans/search?q=tulips").text
    wrong = ada.browser().get("/messages/onlyfans/search?q=form:fan+rose").text
    assert "“form:” is not known here" in wrong
    assert "<mark>roses</mark>" in wrong


def test_pages_of_a_search_follow_each_other(ada: Person):
    here = thread(ada)
    for number in range(35):
        say(ada, here, f"rose {number}")
    browser = ada.browser()
    first = browser.get("/messages/onlyfans/search?q=rose").text
    following = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert (first.count("<mark>"), browser.get(following).text.count("<mark>")) == (30, 5)
    assert browser.get("/messages/onlyfans/search?q=rose&cursor=nonsense").status_code == 400


def test_a_page_that_is_not_full_yet_leads_further_back(ada: Person, monkeypatch):
    monkeypatch.setattr(search, "NEWEST_LOOKED_THROUGH", 3)
    monkeypatch.setattr(search_views, "PATIENCE_SECONDS", 0)
    here, now = thread(ada), utcnow()
    say(ada, here, "the first rose", created_at=now - timedelta(days=9))
    for number in range(3):
        say(ada, here, f"tulip {number}", created_at=now - timedelta(days=number))
    browser = ada.browser()
    page = browser.get("/messages/onlyfans/search?q=rose").text
    assert "So far looked back to" in page
    assert "Nothing found" not in page
    assert "Look further back</a>" in browser.get("/messages/onlyfans/search?q=rose", headers=GLANCE).text
    further = page.partition('hx-get="')[2].partition('"')[0].replace("&amp;", "&")
    rows = browser.get(further, headers={"HX-Request": "true", "HX-Target": "li#further"}).text
    assert "the first <mark>rose</mark>" in rows
    assert "Nothing older has all of this." in rows
    assert "<html" not in rows
    plain = browser.get(further).text
    assert "the first <mark>rose</mark>" in plain, "without scripts the link is a page"
    assert "Nothing older has all of this." in plain


def test_where_nothing_is_found_to_the_very_end_nothing_is_called_older(ada: Person, monkeypatch):
    monkeypatch.setattr(search, "NEWEST_LOOKED_THROUGH", 2)
    monkeypatch.setattr(search_views, "PATIENCE_SECONDS", 0)
    here, now = thread(ada), utcnow()
    for number in range(3):
        say(ada, here, f"tulip {number}", created_at=now - timedelta(days=number))
    browser = ada.browser()
    page = browser.get("/messages/onlyfans/search?q=rose").text
    further = page.partition('hx-get="')[2].partition('"')[0].replace("&amp;", "&")
    assert "so_far=0" in further
    for headers in ({}, {"HX-Request": "true", "HX-Target": "li#further"}):
        rows = browser.get(further, headers=headers).text
        assert "No message has all of this." in rows
        assert "Nothing older" not in rows
    for hostile in ("-1", "x", "9" * 5000):
        assert browser.get(further.replace("so_far=0", f"so_far={hostile}")).status_code == 200


def test_a_thread_opens_at_an_old_message_and_goes_on_to_newer_ones(ada: Person, eve: Person):
    here = thread(ada)
    made = [say(ada, here, f"line {number}", created_at=utcnow() + timedelta(seconds=number)) for number in range(120)]
    browser = ada.browser()
    page = browser.get(f"/messages/onlyfans/{here}?at={made[40]}").text
    assert shown(page) == made[15:66]
    assert page.count(" is-found") == 1
    assert f'message-in is-found" id="message-{made[40]}"' in page
    assert 'id="older"' in page
    assert 'id="newer"' in page
    below = browser.get(f"/messages/onlyfans/{here}/newer?after={made[65]}").text
    assert shown(below) == made[66:116]
    assert 'id="newer"' in below
    assert 'id="newer"' not in browser.get(f"/messages/onlyfans/{here}/newer?after={made[115]}").text
    assert shown(browser.get(f"/messages/onlyfans/{here}?at={made[119]}").text)[-1] == made[119]
    for at in (999_999, 2**70, "x", -1):
        page = browser.get(f"/messages/onlyfans/{here}?at={at}").text
        assert shown(page) == made[70:], at
    assert eve.browser().get(f"/messages/onlyfans/{here}/newer?after={made[1]}").status_code == 404


def shown(page: str) -> list[int]:
    return [int(each.partition('"')[0]) for each in page.split('id="message-')[1:]]
