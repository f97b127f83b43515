from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug import Response

from app.accounts.guard import account
from app.campaigns import actions, queries
from app.campaigns import audience as audiences
from app.campaigns.actions import Plan
from app.campaigns.audience import Audience
from app.campaigns.forms import Aim, CampaignForm, form_for
from app.campaigns.models import Campaign
from app.conversations import forecast
from app.conversations.actions import Draft
from app.database import utcnow
from app.errors import Conflict, Invalid
from app.fans.placeholders import parse
from app.media.actions import store_upload
from app.paging import fetch_page
from app.platforms.queries import first_connection

bp = Blueprint("campaigns", __name__)

CAMPAIGNS_PER_PAGE = 30
RECIPIENTS_PER_PAGE = 100
EXAMPLES = 3
FORM_FIELDS = {
    "text": "text",
    "priceCents": "price",
    "attachments": "files",
    "file": "files",
    "recipientIds": "audience",
}


@bp.get("/campaigns")
def index() -> str:
    rows = queries.campaigns_of(account.id)
    page = fetch_page(rows, queries.NEWEST_FIRST, limit=CAMPAIGNS_PER_PAGE, cursor=request.args.get("cursor"))
    metrics = queries.metrics_of(page.rows)
    return render_template("campaigns/index.html", page=page, metrics=metrics, status_of=queries.status_of)


@bp.get("/campaigns/new")
def new() -> str:
    """`audience`: who gets it, as the form names it."""
    form, aims = form_for(account.id, request.args.get("audience", ""))
    return _composer(form, aims)


@bp.post("/campaigns/new")
def create() -> Response | tuple[str, int]:
    form, aims = form_for(account.id)
    if request.form.get("do") == "look":
        return _composer(form, aims), 200
    if form.validate_on_submit():
        try:
            campaign = actions.launch(account.id, _plan(form, aims))
        except Invalid as error:
            for name, message in error.errors:
                form[FORM_FIELDS.get(name.partition(".")[0], "text")].errors = [message]
        else:
            return redirect(url_for("campaigns.show", campaign_id=campaign.id))
    return _composer(form, aims), 400


@bp.post("/campaigns/outlook")
def outlook() -> str:
    """What would become of it as it stands: who gets it, what three of them would read, when it would be done."""
    form, aims = form_for(account.id)
    return render_template("campaigns/_outlook.html", **_outlook(form, aims))


def _composer(form: CampaignForm, aims: dict[str, Aim]) -> str:
    connection = first_connection(account.id, "onlyfans")
    return render_template("campaigns/new.html", form=form, connection=connection, **_outlook(form, aims))


def _outlook(form: CampaignForm, aims: dict[str, Aim]) -> dict[str, Any]:
    connection, guards = first_connection(account.id, "onlyfans"), form.guards()
    audience = Audience(aims.get(form.audience.data or "", aims["all"]).rule)
    seen = audiences.outlook(account.id, audience, connection, guards)
    template, now = parse(form.clean_text()), utcnow()
    some = audiences.examples(account.id, audience, connection, guards, EXAMPLES)
    return {
        "outlook": seen,
        "reasons": queries.REASONS,
        "examples": [(fan, template.render(fan, now)) for fan in some],
        "unknown": template.unknown,
        "ends_at": forecast.completion_of_more(connection, seen.included) if connection and seen.included else None,
        "timezone": account.timezone,
    }


def _plan(form: CampaignForm, aims: dict[str, Aim]) -> Plan:
    aim = aims[form.audience.data]
    draft = Draft(
        text=form.clean_text(),
        price_cents=form.price_cents(),
        attachments=[store_upload(account.id, file) for file in form.files.data or [] if file and file.filename],
        priority=form.priority.data or 5,
        author_id=current_user.id,
    )
    return Plan(
        (),
        draft,
        name=form.name.data or "",
        rule=aim.rule,
        aimed_at=aim.words,
        guards=form.guards(),
        is_template=True,
    )


@bp.get("/campaigns/<id:campaign_id>")
def show(campaign_id: int) -> str:
    campaign = queries.find_campaign(account.id, campaign_id)
    status = request.args.get("status", "")
    rows = queries.recipients_of(campaign, status)
    page = fetch_page(rows, queries.IN_ORDER, limit=RECIPIENTS_PER_PAGE, cursor=request.args.get("cursor"))
    return render_template(
        "campaigns/show.html",
        page=page,
        lines=queries.ledger_lines(page.rows),
        status_filter=status,
        **_progress_values(campaign),
    )


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


def _steer(verb: Callable[[int, int], Campaign], campaign_id: int, said: str) -> Response:
    try:
        verb(account.id, campaign_id)
    except Conflict as error:
        flash(error.detail, "error")
    else:
        flash(said, "success")
    return redirect(url_for("campaigns.show", campaign_id=campaign_id))
