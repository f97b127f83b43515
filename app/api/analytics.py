from flask import Response, stream_with_context

from app.accounts.auditing import record_export
from app.accounts.guard import account
from app.analytics import files, queries, reports
from app.analytics.periods import Period, read_period
from app.analytics.queries import Overview
from app.api import bp
from app.api.schemas.analytics import AnalyticsOut, ExportQuery, KpisOut, PeriodQuery
from app.database import utcnow


@bp.get("/analytics/onlyfans")
@bp.input(PeriodQuery, location="query")
@bp.output(AnalyticsOut)
def show_analytics(query_data: PeriodQuery) -> AnalyticsOut:
    """The figures of a period, and of the one before it."""
    return _shown(queries.overview(account.id, _period(query_data)))


@bp.get("/analytics/onlyfans/export.csv")
@bp.input(ExportQuery, location="query")
@bp.doc(responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}})
def export_analytics(query_data: ExportQuery) -> Response:
    """The rows behind the figures."""
    asked = reports.read_asked(account.id, _period(query_data), query_data.model_dump(by_alias=True).get)
    record_export(account.id, f"figures: {asked.report}, {asked.period.first} to {asked.period.last}")
    response = Response(stream_with_context(files.report_csv(asked)), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{asked.file_name}"'
    return response


def _period(said: PeriodQuery) -> Period:
    return read_period(said.first, said.after, said.timezone, account.timezone, utcnow())


def _shown(found: Overview) -> AnalyticsOut:
    return AnalyticsOut.model_validate({
        "from": found.period.first,
        "to": found.period.after,
        "timezone": found.period.zone.key,
        "as_of": found.as_of,
        "kpis": KpisOut.model_validate(found.kpis),
        "previous": KpisOut.model_validate(found.previous),
        "trend": [
            {"start": step.period.first, "revenue_cents": step.revenue_cents, "by_kind": dict(step.by_kind)}
            for step in found.trend
        ],
        "top_fans": [
            {"fan_id": each.fan.id, "name": each.fan.name, "handle": each.fan.handle, "revenue_cents": each.revenue_cents}
            for each in found.top_fans
        ],
        "campaigns": [
            {
                "campaign_id": campaign.id, "name": campaign.name, "sent": work.sent, "purchased": work.purchased,
                "revenue_cents": work.revenue_cents,
            }
            for campaign, work in found.campaigns
        ],
    })  # fmt: skip
