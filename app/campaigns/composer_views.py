"""The composer: a draft that is kept as one types, what would become of it, and the ways it goes out.

One form for all of it, which works without JavaScript: each button says what it does by its `do`.
"""

from flask import Response as PlainResponse
from flask import flash, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug import Response

from app.accounts import queries as accounts
from app.accounts.guard import account
from app.campaigns import audience, drafting, queries
from app.campaigns.composing import prospect_of
from app.campaigns.drafting import ChangedMeanwhile, OtherNumber, Window
from app.campaigns.forms import LATER, CampaignForm, form_for
from app.campaigns.ledger import in_words
from app.campaigns.models import Campaign
from app.campaigns.views import bp
from app.conversations.actions import NOTHING_TO_SEND
from app.errors import Conflict, Invalid
from app.fans import queries as fans
from app.formats import without_cents
from app.media import queries as media
from app.media.actions import store_upload
from app.paging import fetch_page
from app.platforms.queries import first_connection

MEDIA_PER_PAGE, FANS_PER_PAGE = 24, 100
MOST_VALUABLE_FIRST = fans.SORTS["-valueCents"]
FIELDS = {  # what actions complain of, by the form's names
    "text": "text", "priceCents": "price", "attachments": "files", "recipientIds": "audience", "audience": "audience",
    "name": "name", "scheduledAt": "send_time", "stopAt": "stop_time", "testFan": "test_fan",
}  # fmt: skip


@bp.get("/campaigns/new")
def new() -> str:
    """`audience`: who gets it, as the form names it. `like`: a campaign that it begins as."""
    like = request.args.get("like", "")
    campaign = queries.find_campaign(account.id, int(like)) if like.isdecimal() and len(like) < 19 else None
    form = form_for(campaign, request.args.get("audience", ""))
    if campaign:
        form.key.data = CampaignForm().key.data
    return _page(form)


@bp.get("/campaigns/<id:campaign_id>/edit")
def edit(campaign_id: int) -> str | Response:
    campaign = queries.find_campaign(account.id, campaign_id)
    if not queries.is_open(campaign):
        return redirect(url_for("campaigns.show", campaign_id=campaign_id))
    form = form_for(campaign)
    return _page(form, campaign)


@bp.post("/campaigns/new")
def create() -> Response | tuple[str, int]:
    """What the pressed button says; the draft is kept whatever it is, but for an empty one."""
    form = form_for()
    form.validate()
    if form.key.errors:
        form.form_errors += form.key.errors
        return _page(form), 400
    do = next((name for name in ("drop", "see") if name in request.form), request.form.get("do", "launch"))
    is_empty = not form.is_begun and not drafting.is_kept(account.id, form.key.data or "")
    if is_empty and do not in ("see", "test"):
        return _of_nothing(do, form)
    try:
        return _do(do, _save(form, overwrites=do == "overwrite"), form)
    except ChangedMeanwhile as changed:
        theirs = queries.find_campaign(account.id, changed.campaign_id)
        return _page(form, theirs, changed=_who(changed)), 409
    except Conflict:  # pressed twice, or by a colleague: what there is to see is what became of it
        return redirect(_address_of(form))


def _of_nothing(do: str, form: CampaignForm) -> Response | tuple[str, int]:
    """Where nothing is written or chosen."""
    if do == "draft":
        flash("Nothing was written, so nothing is kept.", "success")
        return redirect(url_for("campaigns.index"))
    if do == "wording":
        form.wordings.append_entry("")
    if do != "launch":
        return _page(form), 200
    form.name.errors = [*form.name.errors, drafting.NAMELESS]
    form.text.errors = [*form.text.errors, NOTHING_TO_SEND]
    return _page(form), 400


def _save(form: CampaignForm, *, overwrites: bool = False) -> Campaign:
    window = Window(current_user.id, (form.window.data or "")[:100], form.since.data or "", overwrites)
    return drafting.save_draft(account.id, form.key.data or "", window, form.composition)


def _who(changed: ChangedMeanwhile) -> str:
    """Who wrote in it."""
    user = accounts.find_user(changed.by_id)
    return "You, in another window," if changed.by_id == current_user.id else user.name if user else "Somebody"


def _address_of(form: CampaignForm) -> str:
    return url_for("campaigns.show", campaign_id=drafting.find_by_key(account.id, form.key.data or "").id)


def _do(do: str, campaign: Campaign, form: CampaignForm) -> Response | tuple[str, int]:
    if do == "draft":
        flash("Kept as a draft.", "success")
        return redirect(url_for("campaigns.index"))
    if do == "see":
        reason = request.form["see"] or None
        return redirect(url_for("campaigns.considered", campaign_id=campaign.id, reason=reason))
    if do == "wording":
        form.wordings.append_entry("")
    if do == "test":
        return _test(campaign, form)
    if do != "launch":
        return _page(form, campaign), 200
    return _launch(campaign, form)


def _launch(campaign: Campaign, form: CampaignForm) -> Response | tuple[str, int]:
    if form.errors:
        return _page(form, campaign), 400
    try:
        if form.when.data == LATER:
            drafting.schedule(account.id, campaign.id)
        else:
            drafting.launch_draft(account.id, campaign.id, seen=_seen())
    except Invalid as error:
        _show(form, error)
        return _page(form, campaign), 400
    except OtherNumber:
        return _page(form, campaign, asked=True), 409
    return redirect(url_for("campaigns.show", campaign_id=campaign.id))


def _seen() -> int:
    """To how many it goes, as the page said when the button was pressed; -1 where it did not say."""
    said = request.form.get("seen", "")
    return int(said) if said.isdecimal() and len(said) < 19 else -1


def _show(form: CampaignForm, error: Invalid) -> None:
    """Each complaint beside its field."""
    for name, message in error.errors:
        kind, _, number = name.partition(".")
        if kind == "wordings" and number.isdecimal() and int(number) < len(form.wordings.entries):
            form.wordings[int(number)].errors = [message]
        elif field := FIELDS.get(kind):
            form[field].errors = [*form[field].errors, without_cents(message)]
        else:
            form.form_errors.append(message)


def _test(campaign: Campaign, form: CampaignForm) -> tuple[str, int]:
    try:
        fan = drafting.send_test(account.id, form.test_fan.data or "", form.composition, current_user.id)
    except Invalid as error:
        _show(form, error)
        return _page(form, campaign), 400
    except Conflict as error:
        form.test_fan.errors = [error.detail]
        return _page(form, campaign), 409
    return _page(form, campaign, tested=f"On its way to {fan.display_name}."), 200


@bp.post("/campaigns/outlook")
def outlook() -> PlainResponse:
    """Keeps the draft, and says what would become of it."""
    form = form_for()
    form.validate()
    campaign, changed = None, None
    if not form.key.errors and form.is_begun:
        try:
            campaign = _save(form)
        except ChangedMeanwhile as error:
            campaign, changed = queries.find_campaign(account.id, error.campaign_id), _who(error)
        except Conflict:
            return make_response("", 200, {"HX-Redirect": _address_of(form)})
    values = _prospect(form, campaign) | {"campaign": campaign, "changed": changed}
    answer = make_response(render_template("campaigns/_looked.html", kept=campaign and not changed, **values))
    if campaign:
        answer.headers["HX-Replace-Url"] = url_for("campaigns.edit", campaign_id=campaign.id)
    return answer


def _page(
    form: CampaignForm,
    campaign: Campaign | None = None,
    *,
    tested: str = "",
    changed: str = "",
    asked: bool = False,
) -> str:
    connection = first_connection(account.id, "onlyfans")
    return render_template(
        "campaigns/new.html",
        form=form,
        connection=connection,
        campaign=campaign,
        tested=tested,
        changed=changed,
        asked=asked,
        media_page=_media_page(),
        **_prospect(form, campaign),
    )


def _prospect(form: CampaignForm, campaign: Campaign | None) -> dict[str, object]:
    connection, said = first_connection(account.id, "onlyfans"), form.composition
    prospect = prospect_of(account, said, form.aim, connection, campaign.id if campaign else 0)
    return {"prospect": prospect, "in_words": in_words, "timezone": account.timezone}


@bp.get("/campaigns/<id:campaign_id>/considered")
def considered(campaign_id: int) -> str | Response:
    """Before it goes: who would get it now; or, with a `reason`, who would not."""
    campaign = queries.find_campaign(account.id, campaign_id)
    if not queries.is_to_come(campaign):
        return redirect(url_for("campaigns.show", campaign_id=campaign_id))
    selection, cursor = drafting.selection_of_draft(campaign), request.args.get("cursor")
    reason = request.args.get("reason", "").replace("\0", "")
    page = fetch_page(
        audience.fans_of(selection, reason), MOST_VALUABLE_FIRST, limit=FANS_PER_PAGE, cursor=cursor, counted=False
    )
    return render_template(
        "campaigns/considered.html",
        campaign=campaign,
        page=page,
        reason=reason,
        seen=audience.outlook(selection),
        in_words=in_words,
    )


@bp.post("/campaigns/media")
def upload() -> tuple[str, int, dict[str, str]]:
    """A file as soon as it is chosen, before anything is sent."""
    form, chosen = CampaignForm(formdata=None), []
    try:
        chosen = [store_upload(account.id, file) for file in request.files.getlist("files") if file.filename]
    except Invalid as error:
        form.files.errors = [error.errors[0][1]]
    page = render_template("campaigns/_uploaded.html", chosen=chosen, form=form)
    return page, 200, {"HX-Trigger": "composed"}


@bp.get("/campaigns/media")
def more_media() -> str:
    return render_template("campaigns/_media_tiles.html", media_page=_media_page(), chosen=set())


def _media_page() -> object:
    search = request.values.get("media_search", "").replace("\0", "")[:200]
    rows = media.media_of(account.id, search=search)
    cursor = request.args.get("media_cursor")
    return fetch_page(rows, media.NEWEST_FIRST, limit=MEDIA_PER_PAGE, cursor=cursor, counted=False)


@bp.post("/campaigns/<id:campaign_id>/unschedule")
def unschedule(campaign_id: int) -> Response:
    try:
        drafting.unschedule(account.id, campaign_id)
    except Conflict as error:
        flash(error.detail, "error")
        return redirect(url_for("campaigns.show", campaign_id=campaign_id))
    return redirect(url_for("campaigns.edit", campaign_id=campaign_id))


@bp.post("/campaigns/<id:campaign_id>/discard")
def discard(campaign_id: int) -> Response:
    try:
        drafting.discard(account.id, campaign_id)
        flash("The draft is gone.", "success")
    except Conflict as error:
        flash(error.detail, "error")
    return redirect(url_for("campaigns.index"))
