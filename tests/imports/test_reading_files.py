"""Every encoding, delimiter, line end and way to write numbers gives the same people, to the cent."""

from datetime import UTC, datetime
from itertools import product

import pytest

from app.errors import Invalid
from app.imports.models import ImportKind
from tests.imports.read import plan_of, read

NAMES = {"utf-8": "Zoë Świątek 🌙", "cp1252": "Zoë Müller-Lefèvre", "mac-roman": "Zoë Müller-Lefèvre"}
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp1252", "mac-roman")
NUMBERS = (
    ("$1,234.50", "$0.07"),
    ("1,234.50", "0.07"),
    ("1.234,50 €", "0,07 €"),
    ("1\u00a0234,50", "0,07"),
    ("EUR 1.234,5", "EUR 0,07"),
    ("1234.50 USD", "0.07 USD"),
    ("1'234.50", "0.07"),
)


@pytest.mark.parametrize(
    ("encoding", "delimiter", "line_end", "number"), list(product(ENCODINGS, ",;\t|", ("\n", "\r\n", "\r"), NUMBERS))
)
def test_the_same_people_whatever_the_file_looks_like(encoding, delimiter, line_end, number):
    name = NAMES.get(encoding, NAMES["utf-8"])
    rows = [
        ["Username", "Display Name", "Total Spent", "Last Seen"],
        ["@zoe", f'"{name}"', f'"{number[0]}"', "2026-11-20"],
        ["ann", '"Ann ""A"" Lee"', f'"{number[1]}"', "2026-11-21T10:30:00+02:00"],
    ]
    content = "".join(delimiter.join(cells) + line_end for cells in rows).encode(encoding)
    zoe, ann = read(content)
    assert zoe.row == 2
    assert zoe.values == {
        "handle": "@zoe",
        "name": name,
        "value_cents": 123450,
        "last_seen_at": datetime(2026, 11, 20, tzinfo=UTC),
    }
    assert ann.values == {
        "handle": "@ann",
        "name": 'Ann "A" Lee',
        "value_cents": 7,
        "last_seen_at": datetime(2026, 11, 21, 8, 30, tzinfo=UTC),
    }


@pytest.mark.parametrize("text", ["Ça va, l’été à Zürich", "It’s Renée’s €5", "Ñandú", "“Œuvre” – Ångström"])
@pytest.mark.parametrize("encoding", ["cp1252", "mac-roman"])
def test_windows_and_mac_are_told_apart_by_their_letters(text, encoding):
    (reading,) = read(f'Username,Name\nann,"{text}"\n'.encode(encoding))
    assert reading.values["name"] == text


def test_an_encoding_that_was_sent_is_used():
    (reading,) = read("Username,Name\nann,Жанна\n".encode("cp1251"), encoding="windows-1251")
    assert reading.values["name"] == "Жанна"


@pytest.mark.parametrize(
    ("content", "status", "word"),
    [
        (b"", 400, "empty"),
        (b"\n\n  \n", 400, "no rows"),
        (b"Username,Email\n", 400, "no rows"),
        (b"Username,Email\n,\nUsername,Email\n", 400, "no rows"),
        (b"PK\x03\x04\x14\x00", 415, "spreadsheet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", 415, "spreadsheet"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", 415, "picture"),
        (b"\xff\xd8\xff\xe0", 415, "picture"),
        (b"%PDF-1.7", 415, "PDF"),
        (bytes(range(32)) * 9, 415, "not text"),
        (b"Colour,Size\nred,5\n", 400, "Columns found: Colour, Size"),
        (b"@ann,ann@example.com\n@bob,bob@example.com\n", 400, "header line"),
        (b'Username,Name\nann,"Ann" Lee\n', 400, "Row 2"),
        (b'Username,Name\nann,Ann\nbob,"Bob\n', 400, "row 3"),
        (b"Username,Email\nann,a@example.com\n\nTransaction ID,Amount\n1,5\n", 400, "In row 4"),
    ],
)
def test_what_is_no_list_of_people_is_refused_with_advice(content, status, word):
    with pytest.raises(Invalid) as error:
        plan_of(content)
    assert error.value.status == status
    assert word in str(error.value)


@pytest.mark.parametrize(
    ("column", "values", "field", "settled"),
    [
        ("Last Seen", ["03/04/2026", "05/06/2026"], "dateOrder", {"date_order": "dmy"}),
        ("Last Seen", ["13/04/2026", "05/16/2026"], "dateOrder", {"date_order": "mdy"}),
        ("Total Spent", ["1.234", "2.500"], "decimal", {"decimal": ","}),
        ("Total Spent", ["1,50", "1.50"], "decimal", {"decimal": "."}),
        ("Total Spent", ["500", "0"], "unit", {"unit": "cents"}),
        ("Total Spent", ["$5.00", "€5.00"], "currency", {"currency": "EUR"}),
    ],
)
def test_what_a_column_leaves_open_is_asked_by_its_name_and_settled_by_the_field(column, values, field, settled):
    content = f"Username,{column}\n" + "".join(f'fan{at},"{value}"\n' for at, value in enumerate(values))
    with pytest.raises(Invalid) as error:
        plan_of(content)
    assert [name for name, _ in error.value.errors] == [field]
    assert f'"{column}"' in str(error.value)
    assert f"Send {field}=" in str(error.value)
    assert len(read(content, **settled)) == len(values)


def test_one_plain_value_settles_the_whole_column():
    rows = read("Username;Total Spent;Last Seen\na;1.234;03/04/2026\nb;1.234,50;13/04/2026\n")
    assert [row.values["value_cents"] for row in rows] == [123400, 123450]
    assert rows[0].values["last_seen_at"] == datetime(2026, 4, 3, tzinfo=UTC)


def test_the_same_day_either_way_asks_nothing():
    (row,) = read("Username,Last Seen\na,05/05/2026\n")
    assert row.values["last_seen_at"] == datetime(2026, 5, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-09-20T14:03:05Z", (14, 3, 5)),
        ("2026-09-20 14:03:05.123456", (12, 3, 5)),
        ("2026-09-20", (-2, 0, 0)),
        ("Sep 20, 2026", (-2, 0, 0)),
        ("20 September 2026 2:03 PM", (12, 3, 0)),
        ("20.09.2026 14:03", (12, 3, 0)),
        ("09/20/2026 14:03", (12, 3, 0)),
        ("20-09-2026", (-2, 0, 0)),
        ("2026-09-20 14:03:05 +02:00", (12, 3, 5)),
        ("1789912985", (14, 3, 5)),
    ],
)
def test_dates_are_moments_in_the_zone_of_the_account(text, moment):
    (row,) = read(f'Username,Last Seen\na,"{text}"\n', zone="Europe/Berlin")
    hour, minute, second = moment
    day = 20 if hour >= 0 else 19
    seen = row.values["last_seen_at"].replace(microsecond=0)
    assert seen == datetime(2026, 9, day, hour % 24, minute, second, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("($5.00)", -500),
        ("-$5.00", -500),
        ("$-5.00", -500),
        ("5.00-", -500),
        ("1 234 567.89", 123456789),
        ("1\u202f234.50", 123450),
        ("$.99", 99),
        ("12.5", 1250),
        ("USD 90,071,992,547.99", 9007199254799),
    ],
)
def test_money_is_exact_cents(text, cents):
    (row,) = read(f'Transaction ID,Username,Amount,Date\n1,ann,"{text}",2026-01-01\n')
    assert row.values["gross"] == cents


@pytest.mark.parametrize(
    ("cell", "column", "error"),
    [
        ("x@", "Email", "Invalid email format"),
        ("not a sum", "Total Spent", "Not an amount of money"),
        ("$1.0055", "Total Spent", "Parts of a cent"),
        ("-$5.00", "Total Spent", "below zero"),
        ("31/02/2026", "Last Seen", "Not a date"),
        ("yesterday", "Last Seen", "Not a date"),
        ("1.23E+09", "User ID", "shortened"),
        ("two words", "Username", "spaces"),
        ("x" * 256, "Name", "Too long"),
        ("a\0b", "Name", "cannot be kept"),
        ("5" * 51, "Phone", "Too long"),
    ],
)
def test_a_bad_cell_is_named_with_its_reason(cell, column, error):
    header = {"Email": 0, "Total Spent": 1, "Last Seen": 2, "User ID": 3, "Username": 4, "Name": 5, "Phone": 6}
    cells = ["", "", "", "", "ann", "", ""]
    cells[header[column]] = cell
    (row,) = read(",".join(header) + "\n" + ",".join(f'"{each}"' for each in cells) + "\n")
    assert [(each.column, error in each.error) for each in row.problems] == [(column, True)]


def test_rows_are_numbered_as_a_spreadsheet_numbers_them():
    content = (
        "Fans of May\r\n\r\nUsername,Notes\r\n"
        'ann,"two\r\nlines"\r\n\r\nbob,\r\n,,,\r\nUsername,Notes\r\ncy,x,,\r\ndi,x,too much\r\nTotal,3\r\n'
    )
    rows = read(content)
    assert [row.row for row in rows] == [4, 6, 9, 10]
    assert rows[0].values["notes"] == "two\r\nlines"
    assert [bool(row.fault) for row in rows] == [False, False, False, True]


def test_a_sep_line_says_the_delimiter_and_is_no_row():
    (row,) = read("sep=;\nUsername;Name\nann;Ann, A.\n")
    assert row.row == 2
    assert row.values["name"] == "Ann, A."


def test_columns_are_known_by_their_values_where_the_header_says_nothing():
    (row,) = read("Wer,Kontakt,Umsatz\n@ann,a@example.com,$5.00\n")
    assert row.values == {"handle": "@ann", "email": "a@example.com", "value_cents": 500}


EXPORTS = {
    "snake case": (
        "username,name,email,status,subscription_price,subscription_start,subscription_end,rebill_status,total_spent,"
        "messages_sent,tips_sent,ppv_purchased,join_date,last_active\n"
        "ann,Ann,ann@example.com,active,9.99,2026-01-01,2026-02-01,on,1234.5,3,2,1,2025-12-01,2026-01-20 10:00:00\n",
        {"handle": "@ann", "name": "Ann", "subscription_status": "active", "value_cents": 123450},
    ),
    "Patreon": (
        "Name,Email,Discord,Patron Status,Follows You,Free Member,Free Trial,Lifetime Amount,Pledge Amount,Charge Frequency,"
        "Tier,Addressee,Street,City,State,Zip,Country,Phone,Patronage Since Date,Last Charge Date,Last Charge Status,"
        "Additional Details,User ID,Last Updated,Currency,Max Posts,Access Expiration,Next Charge Date,Full country name,"
        "Subscription Source\nAnn,ann@example.com,ann#1,Active patron,No,No,No,120.00,5.00,monthly,Gold,,,,,,,,"
        "2026-01-01 10:00:00.123456,,,,987,2026-01-01 10:00:00,USD,,,,,\n",
        {
            "name": "Ann",
            "subscription_status": "Active patron",
            "tags": ["Gold"],
            "value_cents": 12000,
            "platform_fan_id": None,
        },
    ),
    "Substack": (
        "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at\n"
        "ann@example.com,true,2027-01-01,yearly,false,2026-01-01T10:00:00Z,\n",
        {"email": "ann@example.com", "subscription_status": "active", "tags": ["yearly"]},
    ),
    "Ghost": (
        "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers,"
        'gift_id\r\n64f,ann@example.com,Ann,hello,true,false,,2026-01-01T10:00:00.000Z,,"vip,blog",Gold,\r\n',
        {"email": "ann@example.com", "notes": "hello", "tags": ["vip", "blog", "Gold"], "platform_fan_id": None},
    ),
    "Mailchimp": (
        '"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,LONGITUDE,'
        "GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS,TAGS\n"
        'ann@example.com,Ann,Lee,2,,,,,,,,,,,,,1,abc,hello,"""VIP"",""Blog""",\n',
        {"email": "ann@example.com", "name": "Ann Lee", "notes": "hello", "tags": ["VIP", "Blog"]},
    ),
    "Systeme.io": (
        "Email,First name,Surname,Phone number,Country,Tags,Date registered\nann@example.com,Ann,Lee,+49 123,DE,a,2026-01-01\n",
        {"email": "ann@example.com", "name": "Ann Lee", "phone": "+49 123", "tags": ["a"]},
    ),
}


@pytest.mark.parametrize("exporter", EXPORTS)
def test_exports_of_people_are_understood(exporter):
    content, expected = EXPORTS[exporter]
    assert plan_of(content).kind == ImportKind.FANS
    (row,) = read(content)
    assert not row.problems
    assert {name: row.values.get(name) for name in expected} == expected


PAYMENTS = {
    "Ko-fi": (
        "DateTime (UTC),From,Message,Item,Received,Given,Currency,TransactionType,TransactionId,Email\n"
        '2026-01-02 10:00:00,Ann,"hi\nthere",,5.00,0.00,USD,Tip,k1,ann@example.com\n',
        {
            "gross": 500,
            "kind": "tip",
            "transaction_id": "k1",
            "at": datetime(2026, 1, 2, 10, tzinfo=UTC),
            "name": "Ann",
        },
    ),
    "Stripe": (
        "id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Converted Amount,Converted Amount Refunded,"
        "Converted Currency,Fee,Is Link,Mode,Payment Source Type,Status,Taxes On Fee,Application Fee,Application ID\n"
        "ch_1,2026-01-02 10:00:00,10.00,2.50,usd,true,10.00,2.50,usd,0.59,false,Live,card,Paid,0,,\n",
        {"gross": 750, "net": 691, "transaction_id": "ch_1", "at": datetime(2026, 1, 2, 10, tzinfo=UTC)},
    ),
    "PayPal": (
        '"Date","Time","TimeZone","Name","Type","Status","Currency","Gross","Fee","Net","From Email Address",'
        '"To Email Address","Transaction ID"\n"12/31/2026","10:00:00","PST","Ann","Payment","Completed","USD","10.00","-0.59",'
        '"9.41","ann@example.com","me@example.com","P1"\n',
        {"gross": 1000, "net": 941, "email": "ann@example.com", "at": datetime(2026, 12, 31, 18, tzinfo=UTC)},
    ),
    "OnlyFansAPI": (
        "transaction_id,type,amount,net_amount,currency,created_at\n7,message,5.00,4.00,USD,2026-01-02T10:00:00Z\n",
        {"gross": 500, "net": 400, "kind": "message", "transaction_id": "7"},
    ),
    "Infloww": (
        "Date/Time Europe/London,Employee,Creator,Fan,Type,Status,Earnings,Gross revenue,Net revenue\n"
        '"Sep 20, 2026 3:00 PM",Eve,Ada,@ann,Subscription,Reverse,$8.00,$10.00,-\n',
        {
            "gross": -1000,
            "net": None,
            "kind": "chargeback",
            "handle": "@ann",
            "at": datetime(2026, 9, 20, 14, tzinfo=UTC),
        },
    ),
}


@pytest.mark.parametrize("exporter", PAYMENTS)
def test_exports_of_payments_are_understood(exporter):
    content, expected = PAYMENTS[exporter]
    assert plan_of(content).kind == ImportKind.TRANSACTIONS
    (row,) = read(content)
    assert row.fault is None
    assert {name: row.values.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("kind", "amount", "gross", "means"),
    [
        ("Payment Reversal", "-5.00", -500, "chargeback"),
        ("Reversal", "5.00", -500, "chargeback"),
        ("Charge back", "5.00", -500, "chargeback"),
        ("Charge-Back", "-5.00", -500, "chargeback"),
        ("Chargeback Reversal", "5.00", 500, "chargeback"),  # the creator won it
        ("Payment Refund", "5.00", -500, "refund"),
        ("Reversal of General Account Hold", "5.00", 500, "other"),
        ("Tip", "5.00", 500, "tip"),
    ],
)
def test_what_is_taken_back_is_known_by_many_words(kind, amount, gross, means):
    (row,) = read(f"Transaction ID,Username,Amount,Date,Type\n1,ann,{amount},2026-01-01,{kind}\n")
    assert (row.values["gross"], row.values["kind"]) == (gross, means)


@pytest.mark.parametrize(
    ("header", "cells", "expected"),
    [
        ("Fee,Tax", "-0.59,1.90", (59, 190)),
        ("fee_amount,vat_amount", "2.00,0.00", (200, 0)),
        ("Platform Fee,VAT,Sales Tax", "2.00,1.00,0.25", (200, 125)),
        ("Fee,Tax", "-,", (None, None)),
        ("Fee,Taxes On Fee", "0.59,0.11", (59, None)),  # what is paid on the fee is no tax on the payment
    ],
)
@pytest.mark.parametrize(("kind", "sign"), [("Tip", 1), ("Refund", -1)])
def test_fee_and_tax_are_read_and_have_the_sign_of_the_payment(header, cells, expected, kind, sign):
    (row,) = read(
        f"Transaction ID,Username,Amount,Net,Date,Type,{header}\n1,ann,10.00,8.00,2026-01-01,{kind},{cells}\n"
    )
    assert row.fault is None
    found = row.values["fee_cents"], row.values["tax_cents"]
    assert found == tuple(each if each is None else sign * each for each in expected)


def test_a_payment_that_failed_moved_no_money():
    (row,) = read("Transaction ID,Username,Amount,Date,Status\n1,ann,5.00,2026-01-01,Failed\n")
    assert row.fault is not None


def test_a_list_of_people_not_to_message_is_known_by_its_file_name():
    assert plan_of("Username\nann\n", "do-not-message.csv").kind == ImportKind.DO_NOT_MESSAGE
