"""The rows of a report as CSV, streamed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from app.analytics.lines import Line, lines_of
from app.analytics.reports import Asked
from app.analytics.selling import RULES
from app.analytics.tables import Work
from app.csv_text import csv_text, in_units
from app.paging import each_entity

AT_ONCE = 500
HEADERS = {
    "transactions": (
        "Transaction ID", "Date", "Type", "Amount", "Net", "Fee", "Tax", "Currency", "Fan ID", "Username", "Display Name",
        "Message ID", "Campaign ID", *(rule.title for rule in RULES),
    ),
    "fans": (
        "Fan ID", "Username", "Display Name", "Added", "New", "Active", "Payments", "Amount",
    ),
    "messages": (
        "Message ID", "Direction", "Date", "Fan ID", "Username", "Display Name", "Text", "Status", "Price", "Bought", "Author",
        "Campaign ID", "Began To Wait", "Answered",
    ),
    "campaigns": ("Campaign ID", "Name", "Launched", "Sent", "Paid Messages", "Bought", "Amount"),
}  # fmt: skip


def report_csv(asked: Asked) -> Iterator[str]:
    """All rows, streamed."""
    return csv_text(_csv_lines(asked))


def _csv_lines(asked: Asked) -> Iterator[list[Any]]:
    yield list(HEADERS[asked.report])
    for part in asked.parts:
        rows = each_entity(asked.rows(part), part.order, at_once=AT_ONCE)
        while portion := list(islice(rows, AT_ONCE)):
            for line in lines_of(asked, portion):
                yield _CELLS[asked.report](line)


def _transaction_cells(line: Line) -> list[Any]:
    row = line.row
    return [
        row.platform_transaction_id, _moment(row.at), row.kind, _amount(row.gross_cents), _amount(row.net_cents),
        _amount(row.fee_cents), _amount(row.tax_cents), row.currency, *_fan_cells(line), row.message_id, line.campaign_id,
        *line.sellers,
    ]  # fmt: skip


def _fan_report_cells(line: Line) -> list[Any]:
    answers = ("yes" if each else "no" for each in (line.is_new, line.is_active))
    return [*_fan_cells(line), _moment(line.at), *answers, line.payments, _amount(line.cents)]


def _message_cells(line: Line) -> list[Any]:
    row = line.row
    is_paid = row.direction == "out" and row.price_cents > 0
    return [
        row.id, row.direction, _moment(line.at), row.fan_id, *_fan_cells(line)[1:], row.text, row.status,
        _amount(row.price_cents) if is_paid else None, ("yes" if row.purchased else "no") if is_paid else None,
        line.author.name if line.author else None, line.campaign_id,
        ("yes" if line.began_to_wait else "no") if row.direction == "in" else None, _moment(line.answered_at),
    ]  # fmt: skip


def _campaign_cells(line: Line) -> list[Any]:
    work = line.work or Work()
    return [
        line.row.id, line.row.name, _moment(line.at), work.sent, work.offered, work.purchased, _amount(work.revenue_cents),
    ]  # fmt: skip


def _fan_cells(line: Line) -> list[Any]:
    fan = line.fan
    return [fan.id, fan.handle, fan.name] if fan else [None, None, None]


def _amount(cents: int | None) -> str | None:
    return None if cents is None else in_units(cents)


def _moment(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None


_CELLS = {
    "transactions": _transaction_cells,
    "fans": _fan_report_cells,
    "messages": _message_cells,
    "campaigns": _campaign_cells,
}
