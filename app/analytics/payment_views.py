"""One payment: who sold it by each rule, and what people say of it."""

from flask import flash, redirect, render_template, request, url_for
from werkzeug import Response

from app.accounts import queries as accounts
from app.accounts.guard import account, person
from app.analytics import selling, words
from app.analytics.views import bp
from app.errors import Invalid
from app.fans import queries as fans
from app.money import actions
from app.money import queries as money
from app.money.models import Transaction


@bp.get("/platforms/onlyfans/analytics/payments/<id:transaction_id>")
def payment(transaction_id: int) -> str:
    """Who sold it: by each rule, and what people said."""
    return _payment_page(money.find_transaction(account.id, transaction_id))


@bp.post("/platforms/onlyfans/analytics/payments/<id:transaction_id>")
def attribute(transaction_id: int) -> Response | tuple[str, int]:
    """`seller`: a person's id, 0 for nobody, empty to leave it to the rules."""
    said = request.form.get("seller", "")
    seller_id = int(said) if said.isdecimal() and len(said) < 19 else None
    try:
        is_by_hand = seller_id is not None
        actions.attribute(account.id, transaction_id, seller_id or None, by_id=person.id, is_by_hand=is_by_hand)
    except Invalid as error:
        return _payment_page(money.find_transaction(account.id, transaction_id), error.errors[0][1]), 400
    flash("Kept: who sold it." if is_by_hand else "Left to the rules again.", "success")
    return redirect(url_for("analytics.payment", transaction_id=transaction_id))


def _payment_page(transaction: Transaction, error: str = "") -> str:
    return render_template(
        "analytics/payment.html",
        payment=transaction,
        fan=transaction.fan_id and fans.find_fan(account.id, transaction.fan_id),
        rules=selling.RULES,
        unattributed=selling.UNATTRIBUTED,
        by_rule=selling.people_by_rule(transaction),
        said=money.attributions_of(transaction),
        people=accounts.people_of(account.id),
        error=error,
        words=words,
        label_of_one=money.label_of_one,
    )
