import pytest

from tests.people import Person

FIELDS = {
    "id", "name", "handle", "email", "phone", "avatarUrl", "platform", "platformFanId", "tags", "notes", "valueCents",
    "subscriptionStatus", "lastSeenAt", "doNotMessage", "createdAt", "updatedAt",
}  # fmt: skip
FULL = {
    "name": "José Ñandú",
    "handle": "JoseN",
    "email": "Jose@Example.com",
    "phone": "+34 600 000 000",
    "avatarUrl": "https://example.com/a.png",
    "platformFanId": "9007199254740993",
    "tags": ["VIP", "vip", " Madrid "],
    "notes": "likes ☀️\nand the sea",
    "valueCents": 50000,
    "subscriptionStatus": "active",
    "lastSeenAt": "2026-11-01T12:05:00+01:00",
    "doNotMessage": False,
}


def test_a_fan_is_made_read_changed_and_removed(ada: Person):
    answer = ada.call("POST", "/api/crm/fans", json=FULL)
    fan = answer.json
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/crm/fans/{fan['id']}"
    assert set(fan) == FIELDS
    assert fan["handle"] == "@JoseN"
    assert fan["platformFanId"] == "9007199254740993"
    assert sorted(fan["tags"]) == ["Madrid", "VIP"]
    assert fan["lastSeenAt"] == "2026-11-01T11:05:00Z"
    assert ada.get(f"/api/crm/fans/{fan['id']}") == fan

    changed = ada.put(f"/api/crm/fans/{fan['id']}", {"valueCents": 7, "tags": [], "name": None})
    assert (changed["valueCents"], changed["tags"], changed["name"]) == (7, [], None)
    assert changed["handle"] == "@JoseN"
    assert changed["updatedAt"] > fan["updatedAt"]

    assert ada.call("DELETE", f"/api/crm/fans/{fan['id']}").status_code == 204
    assert ada.call("GET", f"/api/crm/fans/{fan['id']}").status_code == 404


def test_a_handle_belongs_to_one_fan_whatever_its_case_and_at_sign(ada: Person, eve: Person):
    ada.post("/api/crm/fans", {"handle": "johndoe"})
    assert ada.call("POST", "/api/crm/fans", json={"handle": "@JohnDoe"}).status_code == 409
    assert eve.call("POST", "/api/crm/fans", json={"handle": "@JohnDoe"}).status_code == 201
    other = ada.post("/api/crm/fans", {"handle": "jane"})
    taken = ada.call("PUT", f"/api/crm/fans/{other['id']}", json={"handle": "JOHNDOE"})
    assert taken.status_code == 409
    assert "handle" in taken.json["detail"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": 5}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"handle": "@"}, "handle"),
        ({"name": "x", "email": "no address"}, "email"),
        ({"name": "x", "valueCents": -1}, "valueCents"),
        ({"name": "x", "valueCents": 1.5}, "valueCents"),
        ({"name": "x", "valueCents": "5"}, "valueCents"),
        ({"name": "x", "valueCents": True}, "valueCents"),
        ({"name": "x", "valueCents": 10**30}, "valueCents"),
        ({"name": "x", "lastSeenAt": "yesterday"}, "lastSeenAt"),
        ({"name": "x", "lastSeenAt": "2026-11-01T12:05:00"}, "lastSeenAt"),
        ({"name": "x", "tags": "VIP"}, "tags"),
        ({"name": "x", "tags": [1]}, "tags.0"),
        ({"name": "x", "avatarUrl": "javascript:alert(1)"}, "avatarUrl"),
        ({"name": "x", "doNotMessage": "yes"}, "doNotMessage"),
        ({"name": "x", "valuecents": 5}, "valuecents"),
        ({"name": "x", "id": 5}, "id"),
        ([], "body"),
    ],
)
def test_bad_input_names_its_field_and_changes_nothing(ada: Person, body, field):
    import json

    answer = ada.call("POST", "/api/crm/fans", data=json.dumps(body), content_type="application/json")
    assert answer.status_code == 400, answer.text
    assert answer.mimetype == "application/problem+json"
    assert field in [error["field"] for error in answer.json["errors"]], answer.json
    assert ada.get("/api/crm/fans")["total"] == 0


def test_what_is_not_json_is_said_so(ada: Person):
    broken = ada.call("POST", "/api/crm/fans", data="{", content_type="application/json")
    assert broken.status_code == 400
    form = ada.call("POST", "/api/crm/fans", data="name=x", content_type="application/x-www-form-urlencoded")
    assert form.status_code == 415


def test_search_finds_parts_of_name_handle_and_email_without_case_and_accents(ada: Person):
    ada.post("/api/crm/fans", FULL)
    ada.post("/api/crm/fans", {"name": "100%_sure", "handle": "percent"})
    for part, found in (
        ("jose", 1),
        ("ÑANDU", 1),
        ("sen", 1),
        ("@josen", 1),
        ("EXAMPLE.COM", 1),
        ("zzz", 0),
        ("%", 1),
        ("_s", 1),
    ):
        assert ada.get("/api/crm/fans", query_string={"search": part})["total"] == found, part
    assert ada.get("/api/crm/fans?tag=vip")["total"] == 1
    assert ada.get("/api/crm/fans?tag=vi")["total"] == 0


@pytest.mark.parametrize("sort", ["-valueCents", "valueCents", "name", "-lastSeenAt", "-createdAt"])
def test_pages_hold_every_fan_once_in_order_nulls_last(ada: Person, sort):
    for number in range(7):
        body = {"handle": f"fan{number}", "valueCents": number // 2 * 100}
        if number % 3:
            body |= {"name": "abcdefg"[number].upper() if number % 2 else "abcdefg"[number]}
            body |= {"lastSeenAt": f"2026-11-0{number}T00:00:00Z"}
        ada.post("/api/crm/fans", body)
    whole = ada.get(f"/api/crm/fans?sort={sort}&limit=200")
    assert whole["total"] == len(whole["fans"]) == 7
    assert whole["nextCursor"] is None
    paged, cursor = [], ""
    while cursor is not None:
        page = ada.get(
            "/api/crm/fans",
            query_string={"sort": sort, "limit": 2, "cursor": cursor} if cursor else {"sort": sort, "limit": 2},
        )
        paged += page["fans"]
        cursor = page["nextCursor"]
    assert paged == whole["fans"]
    keys = [fan[sort.lstrip("-")] for fan in paged]
    known = [key.casefold() if isinstance(key, str) else key for key in keys if key is not None]
    assert known == sorted(known, reverse=sort.startswith("-"))
    assert keys[len(known) :] == [None] * (7 - len(known))


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "sort=age", "cursor=bogus", "cursor=WzFd"])
def test_a_bad_query_names_its_parameter(ada: Person, query):
    answer = ada.call("GET", f"/api/crm/fans?{query}")
    assert answer.status_code == 400
    assert answer.json["errors"][0]["field"] == query.partition("=")[0]


def test_a_cursor_of_one_order_is_refused_in_another(ada: Person):
    for number in range(3):
        ada.post("/api/crm/fans", {"handle": f"fan{number}"})
    cursor = ada.get("/api/crm/fans?limit=1&sort=name")["nextCursor"]
    assert ada.call("GET", f"/api/crm/fans?sort=valueCents&cursor={cursor}").status_code == 400
