"""Every exporter's file, in every encoding, with every delimiter and every way to write numbers, gives the same values."""

import csv
import io
from datetime import UTC, datetime

import pytest

from app.imports.exporters import recognise
from app.imports.models import ImportKind
from tests.imports.read import plan_of, read

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-be-bom", "cp1252", "mac-roman")
DELIMITERS = ",;\t|"
STYLES = {  # how 1234.50 and 7.05 are written
    "plain": ("1234.50", "7.05"),
    "dollars": ("$1,234.50", "$7.05"),
    "german": ("1.234,50 €", "7,05 €"),
    "french": ("1\u202f234,50", "7,05"),
    "swiss": ("1'234.50", "7.05"),
}
NAMES = {"wide": ("Zoë Świątek 🌙", "王小明"), "narrow": ("Zoë Müller-Lefèvre", "François Núñez")}
DAY, MOMENT = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 20, 18, 30, 5, tzinfo=UTC)


def house(names, sums):
    header = "Username,Display Name,Email,Subscription Tier,Total Spent,Last Seen"
    rows = [["@zoe", names[0], "zoe@example.com", "VIP", sums[0], "2026-11-20"], ["ann", names[1], "", "", sums[1], ""]]
    first = {
        "handle": "@zoe",
        "name": names[0],
        "email": "zoe@example.com",
        "tags": ["VIP"],
        "value_cents": 123450,
        "last_seen_at": DAY,
    }
    return header, rows, [first, {"handle": "@ann", "name": names[1], "value_cents": 705}]


def snake_case(names, sums):
    header = (
        "username,name,email,status,subscription_price,subscription_start,subscription_end,rebill_status,total_spent,"
        "messages_sent,tips_sent,ppv_purchased,join_date,last_active"
    )
    rows = [
        ["zoe", names[0], "zoe@example.com", "active", sums[1], "2026-01-01", "2026-12-01", "on", sums[0], "5", sums[1], "3",
         "2026-01-01", "2026-11-20 18:30:05"],
        ["ann", names[1], "", "expired", sums[1], "", "", "off", sums[1], "0", sums[1], "0", "", ""],
    ]  # fmt: skip
    first = {
        "handle": "@zoe",
        "name": names[0],
        "email": "zoe@example.com",
        "subscription_status": "active",
        "subscribed_at": datetime(2026, 1, 1, tzinfo=UTC),
        "subscription_ends_at": datetime(2026, 12, 1, tzinfo=UTC),
        "value_cents": 123450,
        "last_seen_at": MOMENT,
    }
    return (
        header,
        rows,
        [first, {"handle": "@ann", "name": names[1], "subscription_status": "expired", "value_cents": 705}],
    )


def patreon(names, sums):
    header = (
        "Name,Email,Discord,Patron Status,Follows You,Free Member,Free Trial,Lifetime Amount,Pledge Amount,Charge Frequency,"
        "Tier,Addressee,Street,City,State,Zip,Country,Phone,Patronage Since Date,Last Charge Date,Last Charge Status,"
        "Additional Details,User ID,Last Updated,Currency,Max Posts,Access Expiration,Next Charge Date,Full country name,"
        "Subscription Source"
    )

    def row(name, email, status, lifetime, tier):
        return [name, email, "", status, "Yes", "No", "No", lifetime, sums[1], "monthly", tier, "", "", "", "", "", "", "",
                "2025-01-01 10:00:00.123456", "2026-11-01 10:00:00", "Paid", "", "4711", "2026-11-20 18:30:05", "", "", "", "",
                "", "web"]  # fmt: skip

    rows = [
        row(names[0], "zoe@example.com", "Active patron", sums[0], "Gold, large"),
        row(names[1], "ann@example.com", "Former patron", sums[1], ""),
    ]
    first = {
        "name": names[0],
        "email": "zoe@example.com",
        "subscription_status": "Active patron",
        "value_cents": 123450,
        "tags": ["Gold, large"],
    }
    return (
        header,
        rows,
        [
            first,
            {"name": names[1], "email": "ann@example.com", "subscription_status": "Former patron", "value_cents": 705},
        ],
    )


def substack(names, _sums):
    header = "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at"
    rows = [
        ["zoe@example.com", "true", "2027-01-01", "yearly", "false", "2026-01-01T10:00:00.000Z", "2026-01-01"],
        ["Ann@Example.com", "false", "", "other", "false", "2026-01-02", ""],
    ]
    return (
        header,
        rows,
        [
            {
                "email": "zoe@example.com",
                "subscription_status": "active",
                "subscription_ends_at": datetime(2027, 1, 1, tzinfo=UTC),
                "tags": ["yearly"],
            },
            {"email": "Ann@Example.com", "subscription_status": "inactive", "tags": ["other"]},
        ],
    )


def ghost(names, _sums):
    header = (
        "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,"
        "labels,tiers,gift_id"
    )
    rows = [
        [
            "63f",
            "zoe@example.com",
            names[0],
            "likes, cats",
            "true",
            "false",
            "cus_1",
            "2026-01-01T10:00:00.000Z",
            "",
            "vip,blog",
            "",
            "",
        ],
        ["640", "ann@example.com", names[1], "", "true", "true", "", "2026-01-01T10:00:00.000Z", "", "", "", ""],
    ]
    return (
        header,
        rows,
        [
            {"email": "zoe@example.com", "name": names[0], "notes": "likes, cats", "tags": ["vip", "blog"]},
            {"email": "ann@example.com", "name": names[1]},
        ],
    )


def mailchimp(names, _sums):
    header = (
        "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,"
        "LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS"
    )
    first, _, last = names[0].partition(" ")
    middle = [
        "2",
        "2026-01-01 10:00:00",
        "1.2.3.4",
        "2026-01-01 10:00:00",
        "1.2.3.4",
        "52.5",
        "13.4",
        "1",
        "2",
        "Europe/Berlin",
        "de",
        "be",
        "2026-01-01 10:00:00",
        "1",
        "e1",
    ]
    zone = {"timezone": "Europe/Berlin"}
    rows = [
        ["zoe@example.com", first, last, *middle, "likes cats", '"VIP","Blog"'],
        ["ann@example.com", names[1], "", *middle, "", ""],
    ]
    return (
        header,
        rows,
        [
            {"email": "zoe@example.com", "name": names[0], "notes": "likes cats", "tags": ["VIP", "Blog"], **zone},
            {"email": "ann@example.com", "name": names[1], **zone},
        ],
    )


def kit(names, _sums):
    rows = [
        [names[0], "zoe@example.com", "2026-01-01T10:00:00Z", "active"],
        [names[1], "ann@example.com", "2026-01-01T10:00:00Z", "cancelled"],
    ]
    return (
        "first_name,email,created_at,status",
        rows,
        [
            {"name": names[0], "email": "zoe@example.com", "subscription_status": "active"},
            {"name": names[1], "email": "ann@example.com", "subscription_status": "cancelled"},
        ],
    )


def systeme(names, _sums):
    first, _, last = names[0].partition(" ")
    rows = [
        ["zoe@example.com", first, last, "+49 30 1", "DE", "vip,blog", "2026-01-01"],
        ["ann@example.com", names[1], "", "", "", "", "2026-01-01"],
    ]
    return (
        "Email,First name,Surname,Phone number,Country,Tags,Date registered",
        rows,
        [
            {"email": "zoe@example.com", "name": names[0], "phone": "+49 30 1", "tags": ["vip", "blog"]},
            {"email": "ann@example.com", "name": names[1]},
        ],
    )


def kofi(names, sums):
    header = "DateTime (UTC),From,Message,Item,Received,Given,Currency,TransactionType,TransactionId,Email"
    rows = [
        [
            "2026-11-20 18:30:05",
            names[0],
            "Thanks!\nYou are great, really",
            "",
            sums[0],
            "0",
            "",
            "Tip",
            "k1",
            "zoe@example.com",
        ],
        ["2026-11-20 18:30:05", names[1], "", "", sums[1], "0", "", "Monthly", "k2", "ann@example.com"],
    ]
    return (
        header,
        rows,
        [
            {"name": names[0], "gross": 123450, "net": None, "kind": "tip", "at": MOMENT, "transaction_id": "k1"},
            {"name": names[1], "gross": 705, "kind": "subscription", "transaction_id": "k2"},
        ],
    )


def paypal(names, sums):
    header = (
        "Date,Time,TimeZone,Name,Type,Status,Currency,Gross,Fee,Net,From Email Address,To Email Address,Transaction ID"
    )
    rows = [
        [
            "2026-11-20",
            "19:30:05",
            "CET",
            names[0],
            "General Payment",
            "Completed",
            "",
            sums[0],
            sums[1],
            sums[1],
            "zoe@example.com",
            "me@example.com",
            "p1",
        ],
        [
            "2026-11-20",
            "19:30:05",
            "CET",
            names[1],
            "Payment Refund",
            "Completed",
            "",
            sums[1],
            sums[1],
            sums[1],
            "ann@example.com",
            "me@example.com",
            "p2",
        ],
    ]
    return (
        header,
        rows,
        [
            {
                "name": names[0],
                "email": "zoe@example.com",
                "gross": 123450,
                "net": 705,
                "at": MOMENT,
                "transaction_id": "p1",
            },
            {"gross": -705, "net": -705, "transaction_id": "p2"},
        ],
    )


def onlyfansapi(_names, sums):
    rows = [
        ["o1", "tip", sums[0], sums[1], "", "2026-11-20T18:30:05Z"],
        ["o2", "ppv", sums[1], sums[1], "", "2026-11-20T18:30:05Z"],
    ]
    return (
        "transaction_id,type,amount,net_amount,currency,created_at",
        rows,
        [
            {"transaction_id": "o1", "kind": "tip", "gross": 123450, "net": 705, "at": MOMENT},
            {"transaction_id": "o2", "kind": "message", "gross": 705, "net": 705},
        ],
    )


def infloww(names, sums):
    header = "Date/Time Europe/Berlin,Employee,Creator,Fan,Type,Status,Earnings,Gross revenue,Net revenue"
    rows = [
        ["2026-11-20 19:30:05", "Eva", "Ada", names[0], "Tip", "Done", sums[1], sums[0], sums[1]],
        ["2026-11-20 19:30:05", "-", "Ada", names[1], "Message", "Reverse", sums[1], sums[1], sums[1]],
    ]
    return (
        header,
        rows,
        [
            {"name": names[0], "gross": 123450, "net": 705, "kind": "tip", "at": MOMENT},
            {"name": names[1], "gross": -705, "net": -705, "kind": "chargeback"},
        ],
    )


def stripe(_names, sums):
    header = (
        "id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Converted Amount,"
        "Converted Amount Refunded,Converted Currency,Fee,Is Link,Mode,Payment Source Type,Status,"
        "Taxes On Fee,Application Fee,Application ID"
    )
    rows = [
        [
            "ch_1",
            "2026-11-20 18:30:05",
            sums[0],
            "0",
            "",
            "true",
            sums[0],
            "0",
            "",
            sums[1],
            "false",
            "Live",
            "card",
            "Paid",
            "0",
            "",
            "",
        ],
        [
            "ch_2",
            "2026-11-20 18:30:05",
            sums[1],
            "0",
            "",
            "true",
            sums[1],
            "0",
            "",
            sums[1],
            "false",
            "Live",
            "card",
            "Paid",
            "0",
            "",
            "",
        ],
    ]
    return (
        header,
        rows,
        [
            {"transaction_id": "ch_1", "gross": 123450, "net": 123450 - 705, "at": MOMENT},
            {"transaction_id": "ch_2", "gross": 705, "net": 0},
        ],
    )


EXPORTERS = {
    house: "Greenroom", snake_case: "a creator tool (snake case)", patreon: "Patreon", substack: "Substack", ghost: "Ghost",
    mailchimp: "Mailchimp", kit: "Kit", systeme: "Systeme.io", kofi: "Ko-fi", paypal: "PayPal", onlyfansapi: "OnlyFansAPI",
    infloww: "Infloww", stripe: "Stripe",
}  # fmt: skip
MONEY = {kofi, paypal, onlyfansapi, infloww, stripe}


def encoded(text: str, encoding: str) -> bytes:
    return b"\xfe\xff" + text.encode("utf-16-be") if encoding == "utf-16-be-bom" else text.encode(encoding)


def fits(text: str, encoding: str) -> bool:
    try:
        encoded(text, encoding)
    except UnicodeEncodeError:
        return False
    return True


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("exporter", EXPORTERS, ids=lambda each: each.__name__)
def test_the_same_values_whatever_the_file_looks_like(exporter, encoding):
    names = NAMES["wide" if encoding.startswith("utf") else "narrow"]
    checked = 0
    for delimiter in DELIMITERS:
        for sums in STYLES.values():
            header, rows, expected = exporter(names, sums)
            text = io.StringIO()
            csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows([header.split(","), *rows])
            if not fits(text.getvalue(), encoding):
                continue
            readings = read(encoded(text.getvalue(), encoding), unit="units")
            assert len(readings) == len(expected)
            for reading, values in zip(readings, expected, strict=True):
                assert reading.fault is None
                assert reading.problems == []
                assert {name: reading.values.get(name) for name in values} == values, f"{delimiter!r} {sums}"
            if exporter not in MONEY:
                assert [reading.values for reading in readings] == expected
            checked += 1
    assert checked >= len(DELIMITERS) * 3


@pytest.mark.parametrize(("exporter", "name"), list(EXPORTERS.items()), ids=lambda each: getattr(each, "__name__", ""))
def test_whose_file_it_is_is_said(exporter, name):
    header, rows, _ = exporter(NAMES["wide"], STYLES["plain"])
    assert recognise(header.split(",")) == name
    text = io.StringIO()
    csv.writer(text).writerows([header.split(","), *rows])
    assert plan_of(text.getvalue(), unit="units").kind == (
        ImportKind.TRANSACTIONS if exporter in MONEY else ImportKind.FANS
    )
