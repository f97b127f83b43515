from typing import Any

from flask import Response, render_template, request, stream_with_context

from app.accounts import auditing, queries
from app.accounts.guard import account
from app.accounts.models import AuditEntry
from app.accounts.views import bp
from app.csv_text import csv_text
from app.database import LARGEST_ID
from app.paging import each_entity, fetch_page

ENTRIES_PER_PAGE = 50
HEADER = ("At (UTC)", "Person", "Person's id", "Address", "Act", "What", "About", "Id", "Words", "Request")


@bp.get("/settings/audit")
def audit() -> str:
    page = fetch_page(
        _entries(),
        queries.NEWEST_ENTRIES_FIRST,
        limit=ENTRIES_PER_PAGE,
        cursor=request.args.get("cursor"),
        counted=False,
    )
    return render_template(
        "accounts/audit.html",
        page=page,
        people=queries.people_of(account.id),
        kinds=auditing.KINDS,
        acts=auditing.ACTS,
        **_asked(),
    )


@bp.get("/settings/audit.csv")
def export_audit() -> Response:
    """The same entries, all pages."""
    entries = _entries()
    auditing.record_export(account.id, "the audit log")
    lines = (_line(each) for each in each_entity(entries, queries.NEWEST_ENTRIES_FIRST))
    response = Response(stream_with_context(csv_text(_with_header(lines))), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response


def _entries() -> Any:
    asked = _asked()
    return queries.audit_entries(account.id, user_id=asked["person_id"], kind=asked["kind"])


def _asked() -> dict[str, Any]:
    """What the address narrows the list to; what makes no sense narrows nothing."""
    kind, person_id = request.args.get("kind", ""), request.args.get("person", type=int)
    return {
        "kind": kind if kind in auditing.KINDS else "",
        "person_id": person_id if person_id and 0 < person_id <= LARGEST_ID else None,
    }


def _with_header(lines: Any) -> Any:
    yield HEADER
    yield from lines


def _line(entry: AuditEntry) -> tuple[Any, ...]:
    return (
        f"{entry.at:%Y-%m-%d %H:%M:%S}",
        entry.user_name,
        entry.user_id,
        entry.address,
        entry.act,
        auditing.ACTS.get(entry.act, ("", entry.act))[1],
        entry.about_kind,
        entry.about_id,
        entry.words,
        entry.request_id,
    )
