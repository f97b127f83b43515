from decimal import Decimal

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from werkzeug import Response

from app import clock
from app.accounts.guard import account, open_to_all
from app.errors import Invalid, NotFound
from app.platforms import actions, condition, queries
from app.platforms.forms import ConnectionForm
from app.platforms.gateway import PlatformError
from app.platforms.models import Connection, ConnectionStatus

bp = Blueprint("platforms", __name__)

FORM_FIELDS = {
    "baseUrl": "base_url",
    "apiKey": "api_key",
    "pace.limit": "pace_limit",
    "pace.windowSeconds": "pace_window_seconds",
    "reserve": "reserve",
    "dailyCap": "daily_cap",
    "priceRange": "price_max",
}


@bp.get("/platforms/connect/onlyfans")
def edit() -> str:
    connection = queries.first_connection(account.id, "onlyfans")
    return _page(connection, _filled_form(connection))


@bp.post("/platforms/connect/onlyfans")
def save() -> Response | tuple[str, int]:
    form = ConnectionForm()
    if form.validate_on_submit():
        try:
            connection = _connect(form)
            return _try_out(connection)
        except Invalid as error:
            for name, message in error.errors:
                form[FORM_FIELDS[name]].errors = [message]
    return _page(queries.first_connection(account.id, "onlyfans"), form), 400


def _connect(form: ConnectionForm) -> Connection:
    return actions.connect(
        account.id,
        base_url=(form.base_url.data or "").strip().rstrip("/"),
        external_account=form.external_account.data or "",
        api_key=(form.api_key.data or "").strip(),
        pace_limit=form.pace_limit.data or 0,
        pace_window_seconds=form.pace_window_seconds.data or 0,
        reserve=form.reserve.data or 0,
        daily_cap=form.daily_cap.data,
        forbidden_words=(form.forbidden_words.data or "").replace("\0", ""),
        price_min_cents=form.price_min.cents,
        price_max_cents=form.price_max.cents,
    )


@bp.post("/platforms/connect/onlyfans/test")
def test() -> Response:
    return _try_out(_existing())


@bp.post("/platforms/connect/onlyfans/pause")
def pause() -> Response:
    actions.pause(_existing())
    flash("Sending is paused. What waits stays in line.", "success")
    return redirect(url_for("platforms.edit"))


@bp.post("/platforms/connect/onlyfans/resume")
def resume() -> Response:
    actions.resume(_existing())
    flash("Sending goes on.", "success")
    return redirect(url_for("platforms.edit"))


@bp.post("/webhooks/<id:connection_id>")
@open_to_all
def webhook(connection_id: int) -> tuple[str, int]:
    headers = {name.lower(): value for name, value in request.headers}
    actions.store_event(connection_id, headers, request.get_data())
    return "", 204


def _existing() -> Connection:
    connection = queries.first_connection(account.id, "onlyfans")
    if connection is None:
        raise NotFound
    return connection


def _try_out(connection: Connection) -> Response:
    try:
        actions.open_up(connection, _webhook_url(connection))
        is_paused = connection.status == ConnectionStatus.PAUSED
        paused = " Sending is still paused: resume it under State." if is_paused else ""
        flash(f"Connected. Fans are being fetched from the platform.{paused}", "success")
    except PlatformError:
        flash("Saved, but the platform did not let us in. What it said stands under State.", "error")
    return redirect(url_for("platforms.edit"))


def _webhook_url(connection: Connection) -> str:
    return url_for("platforms.webhook", connection_id=connection.id, _external=True)


def _filled_form(connection: Connection | None) -> ConnectionForm:
    if connection is None:
        config = current_app.config
        return ConnectionForm(
            formdata=None,
            base_url="https://app.onlyfansapi.com",
            pace_limit=config["PACE_LIMIT"],
            pace_window_seconds=config["PACE_WINDOW_SECONDS"],
            price_min=Decimal(3),
            price_max=Decimal(200),
        )
    return ConnectionForm(
        formdata=None,
        obj=connection,
        price_min=Decimal(connection.price_min_cents) / 100,
        price_max=Decimal(connection.price_max_cents) / 100,
    )


def _page(connection: Connection | None, form: ConnectionForm) -> str:
    if connection is None:
        form.api_key.flags.required = True
        return render_template("platforms/connect.html", connection=None, form=form)
    now = clock.now()
    held = connection.held_tick or 0
    return render_template(
        "platforms/connect.html",
        connection=connection,
        form=form,
        webhook_url=_webhook_url(connection),
        pace_words=condition.pace_in_words(connection),
        breaker=condition.breaker_of(connection, now),
        speed=condition.speed_percent(connection, now),
        sent_today=condition.sent_on(connection, condition.today_in(account.timezone)),
        held_until=clock.moment(held) if held > now else None,
    )
