from collections.abc import Callable
from functools import partial

from flask import Blueprint, flash, redirect, render_template, request, stream_with_context, url_for
from flask import Response as StreamedResponse
from werkzeug import Response

from app.accounts.auditing import record_export
from app.accounts.guard import account
from app.campaigns import actions, queries, results
from app.campaigns.ledger import in_words, ledger_csv, ledger_lines
from app.campaigns.models import Campaign
from app.conversations.guards import Guards
from app.errors import Conflict
from app.paging import fetch_page

bp = Blueprint("campaigns", __name__)

CAMPAIGNS_PER_PAGE = 30
RECIPIENTS_PER_PAGE = 100
REASONS_OFFERED = 30


@bp.get("/campaigns")
def index() -> str:
    rows = queries.campaigns_of(account.id)
    page = fetch_page(rows, queries.NEWEST_FIRST, limit=CAMPAIGNS_PER_PAGE, cursor=request.args.get("cursor"))
    metrics = queries.metrics_of(page.rows)
    return render_template(
        "campaigns/index.html", page=page, metrics=metrics, status_of=queries.status_of, is_open=queries.is_open
    )


@bp.get("/campaigns/<id:campaign_id>")
def show(campaign_id: int) -> str:
    campaign = queries.find_campaign(account.id, campaign_id)
    if request.headers.get("HX-Request"):
        return render_template("campaigns/_ledger.html", campaign=campaign, **_ledger_values(campaign))
    values = _progress_values(campaign) | _ledger_values(campaign)
    return render_template(
        "campaigns/show.html",
        guards=Guards.of(campaign.guards),
        held_back=results.held_back_of(campaign),
        wordings=results.wordings_of(campaign),
        comparison=results.comparison_of(campaign, values["metrics"].last_outcome_at),
        reasons=[
            (reason, in_words(reason), number) for reason, number in queries.reasons_in(campaign, REASONS_OFFERED)
        ],
        **values,
    )


def _ledger_values(campaign: Campaign) -> dict:
    wanted = _wanted()
    rows = queries.recipients_of(campaign, **wanted)
    page = fetch_page(rows, queries.IN_ORDER, limit=RECIPIENTS_PER_PAGE, cursor=request.args.get("cursor"))
    return {"page": page, "lines": ledger_lines(page.rows), "wanted": wanted, "timezone": account.timezone}


def _wanted() -> dict[str, str]:
    """Which lines of the ledger, as the address says."""
    return {name: request.args.get(name, "").replace("\0", "") for name in ("status", "reason", "search")}


@bp.get("/campaigns/<id:campaign_id>/ledger.csv")
def ledger(campaign_id: int) -> StreamedResponse:
    """The ledger as the address filters it, all pages."""
    campaign = queries.find_campaign(account.id, campaign_id)
    record_export(account.id, f"the ledger of {campaign.name or 'Untitled'}", "campaign", campaign.id)
    lines = ledger_csv(queries.recipients_of(campaign, **_wanted()))
    response = StreamedResponse(stream_with_context(lines), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="campaign-{campaign_id}.csv"'
    return response


@bp.get("/campaigns/<id:campaign_id>/progress")
def progress(campaign_id: int) -> str:
    """The part of the page that moves, for as long as something moves."""
    return render_template(
        "campaigns/_progress.html", **_progress_values(queries.find_campaign(account.id, campaign_id))
    )


def _progress_values(campaign: Campaign) -> dict:
    metrics = queries.metrics_of([campaign])[campaign.id]
    return {
        "campaign": campaign,
        "metrics": metrics,
        "status": queries.status_of(campaign, metrics),
        "ends_at": queries.estimated_completions([campaign], {campaign.id: metrics}).get(campaign.id),
        "ended_at": queries.completed_at(campaign, metrics),
        "rate": queries.sent_in_last_minute(campaign),
        "timezone": account.timezone,
    }


@bp.post("/campaigns/<id:campaign_id>/pause")
def pause(campaign_id: int) -> Response:
    return _steer(actions.pause, campaign_id, "Paused. What is on its way still arrives.")


@bp.post("/campaigns/<id:campaign_id>/resume")
def resume(campaign_id: int) -> Response:
    return _steer(actions.resume, campaign_id, "Goes on.")


@bp.post("/campaigns/<id:campaign_id>/cancel")
def cancel(campaign_id: int) -> Response:
    return _steer(actions.cancel, campaign_id, "Cancelled. What waited will not be sent.")


@bp.post("/campaigns/<id:campaign_id>/retry-failed")
def retry_failed(campaign_id: int) -> Response:
    return _steer(actions.retry_failed, campaign_id, "The failed ones are in the queue again.")


@bp.post("/campaigns/<id:campaign_id>/settle")
def settle(campaign_id: int) -> Response:
    """What became of all its unknown messages, as somebody saw on the platform."""
    arrived = request.form.get("outcome") == "sent"
    said = "Marked as sent." if arrived else "Marked as not sent: you may send them again."
    return _steer(partial(actions.settle_unknown, arrived=arrived), campaign_id, said)


def _steer(verb: Callable[[int, int], Campaign], campaign_id: int, said: str) -> Response:
    try:
        verb(account.id, campaign_id)
    except Conflict as error:
        flash(error.detail, "error")
    else:
        flash(said, "success")
    return redirect(url_for("campaigns.show", campaign_id=campaign_id))
