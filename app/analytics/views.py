from collections import Counter
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, render_template, request, stream_with_context, url_for
from flask import Response as StreamedResponse

from app.accounts.auditing import record_export
from app.accounts.guard import account
from app.analytics import files, lines, queries, reports, selling, words
from app.analytics.cards import FIGURES, cards
from app.analytics.periods import DAY, PRESETS, Period, preset, read_period
from app.analytics.queries import Step
from app.analytics.wrong_zones import wrong_zones
from app.database import LARGEST_ID, utcnow
from app.errors import Invalid, NotFound
from app.imports import queries as imports
from app.imports.models import Import
from app.money import queries as money
from app.paging import fetch_page
from app.zones import zone_names

bp = Blueprint("analytics", __name__)

ROWS_PER_PAGE = 50


@bp.get("/platforms/onlyfans/analytics")
def index() -> str | tuple[str, int]:
    """Of a preset `period`; or `from` a day `through` another, or `to` one that no longer counts. `by`: the trend's step."""
    try:
        period = _period()
    except Invalid as error:
        return render_template("analytics/index.html", errors=dict(error.errors), **_chooser(None)), 400
    found = queries.overview(account.id, period)
    return render_template(
        "analytics/index.html",
        errors={},
        overview=found,
        cards=cards(found.kpis, found.previous),
        kinds=_kinds(found.trend),
        rows=_address_of_rows(period),
        address=_filter(),
        **_chooser(period),
    )


@bp.get("/platforms/onlyfans/analytics/statement")
def statement() -> str | tuple[str, int]:
    """What was imported of a period, held against what events told of it. `import`: of one file, by default its own days."""
    of_import = _import_asked_for()
    try:
        period = _period()
        if of_import and not {"period", "from", "to", "through"} & request.args.keys():
            period = queries.days_of(of_import, period.zone) or period
    except Invalid as error:
        return render_template("analytics/statement.html", errors=dict(error.errors), **_chooser(None)), 400
    return render_template(
        "analytics/statement.html",
        errors={},
        told=queries.statement_against_events(account.id, period, of_import),
        of_import=of_import,
        of_file=imports.sum_of(of_import) if of_import else None,
        wrong_zones=wrong_zones(account.id, period),
        rows=_address_of_rows(period),
        **_chooser(period),
    )


def _import_asked_for() -> Import | None:
    """Raises NotFound."""
    asked = request.args.get("import")
    if not asked:
        return None
    if not asked.isdecimal() or int(asked[:20]) > LARGEST_ID:
        raise NotFound
    return imports.find_import(account.id, int(asked))


@bp.get("/platforms/onlyfans/analytics/sold")
def sold() -> str | tuple[str, int]:
    """Revenue by who sold it, by each of the rules."""
    try:
        period = _period()
    except Invalid as error:
        return render_template("analytics/sold.html", errors=dict(error.errors), **_chooser(None)), 400
    return render_template(
        "analytics/sold.html",
        errors={},
        rules=selling.RULES,
        unattributed=selling.UNATTRIBUTED,
        sellers=selling.sellers(account.id, period),
        rows=_address_of_rows(period),
        **_chooser(period),
    )


@bp.get("/platforms/onlyfans/analytics/rows")
def rows() -> str:
    asked = _asked()
    part = asked.parts[0]
    page = fetch_page(asked.rows(part), part.order, limit=ROWS_PER_PAGE, cursor=request.args.get("cursor"))
    return render_template(
        "analytics/rows.html",
        asked=asked,
        part=part,
        page=page,
        lines=lines.lines_of(asked, page.rows),
        figure=next((each for each in FIGURES if (each.report, each.which) == (asked.report, asked.which)), None),
        sums=queries.sums_of(asked, part),
        narrowed=queries.narrowed_in_words(asked),
        address=_filter(),
        rows=_address_of_rows(asked.period),
        **_chooser(asked.period),
    )


@bp.get("/platforms/onlyfans/analytics/rows.csv")
def export() -> StreamedResponse:
    """The same rows, all pages."""
    asked = _asked()
    record_export(account.id, f"figures: {asked.report}, {asked.period.first} to {asked.period.last}")
    response = StreamedResponse(stream_with_context(files.report_csv(asked)), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{asked.file_name}"'
    return response


def _period() -> Period:
    """Raises Invalid, naming the field."""
    said = request.args
    zone = read_period(None, None, said.get("timezone"), account.timezone, utcnow()).zone
    if said.get("period") in PRESETS:
        period = preset(said["period"], zone, utcnow())
    else:
        period = read_period(
            said.get("from"), said.get("to") or _day_after_through(), zone.key, account.timezone, utcnow()
        )
    return replace(period, by=said.get("by", ""))


def _day_after_through() -> str | None:
    """People name the last day that counts."""
    text = request.args.get("through")
    try:
        return str(date.fromisoformat(text) + DAY) if text else None
    except (ValueError, OverflowError) as error:
        raise Invalid(("through", "must be a date like 2026-11-30.")) from error


def _asked() -> reports.Asked:
    """Of a report whose parts have different times, a page shows one: the first, unless it is told which."""

    def said(name: str) -> str | None:
        parts = reports.WHOLE.get(request.args.get("report", ""), ("",))
        return request.args.get(name) or (parts[0] if name == "which" else None)

    return reports.read_asked(account.id, _period(), said)


def _filter() -> dict[str, str]:
    return {name: value for name, value in request.args.items() if name != "cursor" and value}


def _chooser(period: Period | None) -> dict[str, Any]:
    """What the choice of a period needs."""
    chosen = None
    if period is not None:
        chosen = next((name for name in PRESETS if preset(name, period.zone, utcnow()) == period), "")
    values = {"period": period, "presets": PRESETS, "chosen": chosen, "said": request.args, "zones": zone_names()}
    return values | {"words": words, "labels": money.KINDS, "label_of_one": money.label_of_one}


def _address_of_rows(period: Period) -> Any:
    """Of the rows of a report in this period, or in a part of it. A page has hundreds: the router is asked once."""
    path, zone = url_for("analytics.rows"), request.args.get("timezone")

    @cache
    def whole(report: str, which: str, of: Period) -> str:
        said = {"report": report, "which": which, "from": of.first, "to": of.after, "timezone": zone}
        return f"{path}?{urlencode({name: value for name, value in said.items() if value}, safe='/:')}"

    def address(report: str, which: str = "", of: Period = period, **narrowed: Any) -> str:
        return "&".join([whole(report, which, of), *([urlencode(narrowed)] if narrowed else [])])

    return address


def _kinds(trend: list[Step]) -> dict[str, int]:
    """Cents of each that moved, in the order of money.KINDS, then by name."""
    sums = Counter()
    for step in trend:
        sums.update(step.by_kind)
    return {kind: sums[kind] for kind in [*money.KINDS, *sorted(set(sums) - set(money.KINDS))] if kind in sums}
