"""A payment's amount, fee, refund and status brought together."""

from app.imports.plan import Plan, code_in
from app.imports.row import Problem, Reading

KINDS = {
    "tip": ("tip", "donation", "coffee", "gift"),
    "message": ("message", "ppv", "chat", "unlock", "post"),
    "subscription": ("subscription", "membership", "rebill", "recurring", "renewal", "monthly"),
}
RENEWED = ("renew", "rebill", "recurring")
NO_MONEY = (
    "fail",
    "denied",
    "declined",
    "cancel",
    "pending",
    "requires",
    "expired",
    "void",
    "unpaid",
    "blocked",
    "incomplete",
)
TAKEN_BACK = {"chargeback": ("chargeback", "revers"), "refund": ("refund",)}  # the first that fits


def finish_payment(reading: Reading, plan: Plan) -> None:
    """What lacks an amount or a date moved no money that we know of."""
    given = reading.values
    status, kind = str(given.get("status", "")).casefold(), str(given.get("type", "")).casefold()
    gross = given.get("gross", given.get("net"))
    for name, value in (("gross", gross), ("at", given.get("at"))):
        if value is None:
            column = plan.fields.get(name) or plan.fields["net"]
            bad = next((each for each in reading.problems if each.column == column.header), None)
            what = "amount" if name == "gross" else "date"
            reading.fault = reading.fault or bad or Problem(column.header, "", f"The payment has no {what}")
    if any(word in status for word in NO_MONEY):
        reading.fault = Problem(plan.fields["status"].header, given["status"], "No money moved with this status")
    if plan.identity and not any(given.get(column.field) for column in plan.identity) and not given.get("name"):
        reading.fault = reading.fault or Problem(plan.identity[0].header, "", "The row does not say who paid")
    if reading.fault or gross is None:
        return
    gross -= given.get("refunded", 0)
    net = given.get("net", gross - abs(given["fee"]) if "fee" in given else None)
    taken_back = _taken_back(status, kind)
    if taken_back and not _is_given_back(kind):
        gross, net = -abs(gross), None if net is None else -abs(net)
    taxes = [given[name] for name in ("tax", "vat") if name in given]
    given |= {"fee_cents": _signed(given.get("fee"), gross), "tax_cents": _signed(sum(taxes) if taxes else None, gross)}
    money = plan.fields.get("gross") or plan.fields["net"]
    # `sort` tells payments without an id apart, and so stays what it was in files that were imported before.
    given |= {"gross": gross, "net": net, "sort": _sort(kind), "kind": taken_back or _kind(kind)}
    given["currency"] = code_in(reading.cells, plan.fields.get("currency")) or money.currency or "USD"


def _taken_back(status: str, kind: str) -> str | None:
    """As what, if it was: a status says so whatever was paid for; that something is refunded, it may also say of the payment
    whose refund has a row of its own."""
    status, kind = (_in_one_word(text) for text in (status, kind))
    if "hold" in kind:  # money that was kept back for a time: nobody paid it, or took it back
        return None
    if any(word in status for word in TAKEN_BACK["chargeback"]):
        return "chargeback"
    return next((name for name, words in TAKEN_BACK.items() if any(word in kind for word in words)), None)


def _is_given_back(kind: str) -> bool:
    """A chargeback that the creator won: its sum came back."""
    return "revers" in kind and "chargeback" in _in_one_word(kind)


def _in_one_word(text: str) -> str:
    return text.replace(" ", "").replace("-", "")


def _signed(cents: int | None, gross: int) -> int | None:
    """Some exports write a fee as what it takes away, others as what it is."""
    return cents if cents is None else -abs(cents) if gross < 0 else abs(cents)


def _kind(text: str) -> str:
    return "renewal" if any(word in text for word in RENEWED) else _sort(text)


def _sort(text: str) -> str:
    return next((name for name, words in KINDS.items() if any(word in text for word in words)), "other")
