"""Whose file it is, by its header line: said to the person who brought it. How it is read does not depend on it."""

from app.imports.headers import read_header

_SIGNATURES = {
    "Greenroom": "username|display name|email|subscription tier|total spent|last seen",
    "Patreon": "patron status|lifetime amount|pledge amount",
    "Substack": "email|active subscription|expiry|plan",
    "Ghost": "email|subscribed to emails|complimentary plan|stripe customer id",
    "Mailchimp": "email address|optin time|member rating",
    "Kit": "first name|email|created at|status",
    "Systeme.io": "email|surname|date registered",
    "Ko-fi": "from|received|transactiontype|transaction type|item",
    "Stripe": "amount refunded|converted amount|captured",
    "PayPal": "from email address|gross|fee|net|transaction id",
    "OnlyFansAPI": "transaction id|type|amount|net amount|created at",
    "Infloww": "employee|creator|fan|earnings|net revenue",
    "a creator tool (snake case)": "username|subscription price|rebill status|total spent",
}
_EITHER = {frozenset({"transactiontype", "transaction type"})}  # spellings of one header


def recognise(header: list[str]) -> str:
    """The exporter's name, "" for a file that nobody known writes."""
    keys = {read_header(text).key for text in header}
    for name, words in _SIGNATURES.items():
        wanted = set(words.split("|"))
        for spellings in _EITHER:
            if spellings & wanted and spellings & keys:
                wanted -= spellings
        if wanted <= keys:
            return name
    return ""
