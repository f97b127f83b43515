"""The audit log: who did what, from where. Entries are written in the transaction of the act they tell of, and nothing
changes or deletes them: the database itself refuses it.

Not here: single answers to fans. Each stands in its thread as a message, with its author.
"""

from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import StrEnum

import structlog

from app.accounts.models import AuditEntry, User
from app.database import db, write

KINDS = {
    "sign-in": "Sign-ins",
    "people": "People",
    "settings": "Settings",
    "sends": "Sends",
    "imports": "Imports",
    "money": "Who sold what",
    "exports": "Exports and deletions",
}


class Act(StrEnum):
    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    CODE_FAILED = "code_failed"
    RECOVERY_CODE_USED = "recovery_code_used"
    SIGNED_OUT = "signed_out"
    TOKEN_MADE = "token_made"  # noqa: S105
    TOKEN_REVOKED = "token_revoked"  # noqa: S105
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    TWO_STEP_ON = "two_step_on"
    TWO_STEP_OFF = "two_step_off"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    SESSION_ENDED = "session_ended"
    PERSON_ADDED = "person_added"
    INVITED = "invited"
    INVITATION_REVOKED = "invitation_revoked"
    JOINED = "joined"
    ROLE_CHANGED = "role_changed"
    DEACTIVATED = "deactivated"
    REACTIVATED = "reactivated"
    RESET_LINK_MADE = "reset_link_made"
    CONNECTION_MADE = "connection_made"
    CONNECTION_CHANGED = "connection_changed"
    SENDING_PAUSED = "sending_paused"
    SENDING_RESUMED = "sending_resumed"
    CAMPAIGN_LAUNCHED = "campaign_launched"
    CAMPAIGN_SCHEDULED = "campaign_scheduled"
    CAMPAIGN_UNSCHEDULED = "campaign_unscheduled"
    CAMPAIGN_PAUSED = "campaign_paused"
    CAMPAIGN_RESUMED = "campaign_resumed"
    CAMPAIGN_CANCELLED = "campaign_cancelled"
    CAMPAIGN_RETRIED = "campaign_retried"
    CAMPAIGN_SETTLED = "campaign_settled"
    IMPORT_STARTED = "import_started"
    IMPORT_APPLIED = "import_applied"
    IMPORT_UNDONE = "import_undone"
    IMPORT_DISCARDED = "import_discarded"
    PAYMENT_ATTRIBUTED = "payment_attributed"
    EXPORTED = "exported"
    EXPORT_BEGUN = "export_begun"
    FAN_DELETED = "fan_deleted"
    FAN_ERASED = "fan_erased"


ACTS: dict[str, tuple[str, str]] = {  # kind, and words that follow the person's name
    Act.SIGNED_IN: ("sign-in", "signed in"),
    Act.SIGN_IN_FAILED: ("sign-in", "failed to sign in"),
    Act.CODE_FAILED: ("sign-in", "knew the password, but gave a wrong code"),
    Act.RECOVERY_CODE_USED: ("sign-in", "used a recovery code"),
    Act.SIGNED_OUT: ("sign-in", "signed out"),
    Act.TOKEN_MADE: ("settings", "made an API token"),
    Act.TOKEN_REVOKED: ("settings", "revoked an API token"),
    Act.PASSWORD_CHANGED: ("settings", "changed a password"),
    Act.TWO_STEP_ON: ("settings", "turned two-step sign-in on"),
    Act.TWO_STEP_OFF: ("settings", "turned two-step sign-in off"),
    Act.RECOVERY_CODES_MADE: ("settings", "made new recovery codes"),
    Act.SESSION_ENDED: ("sign-in", "ended a session elsewhere"),
    Act.PERSON_ADDED: ("people", "added a person"),
    Act.INVITED: ("people", "invited"),
    Act.INVITATION_REVOKED: ("people", "took an invitation back"),
    Act.JOINED: ("people", "joined"),
    Act.ROLE_CHANGED: ("people", "changed a role"),
    Act.DEACTIVATED: ("people", "deactivated"),
    Act.REACTIVATED: ("people", "reactivated"),
    Act.RESET_LINK_MADE: ("people", "made a link for a new password"),
    Act.CONNECTION_MADE: ("settings", "connected a platform"),
    Act.CONNECTION_CHANGED: ("settings", "changed the connection"),
    Act.SENDING_PAUSED: ("settings", "paused all sending"),
    Act.SENDING_RESUMED: ("settings", "resumed sending"),
    Act.CAMPAIGN_LAUNCHED: ("sends", "launched a campaign"),
    Act.CAMPAIGN_SCHEDULED: ("sends", "scheduled a campaign"),
    Act.CAMPAIGN_UNSCHEDULED: ("sends", "took a campaign off its schedule"),
    Act.CAMPAIGN_PAUSED: ("sends", "paused a campaign"),
    Act.CAMPAIGN_RESUMED: ("sends", "resumed a campaign"),
    Act.CAMPAIGN_CANCELLED: ("sends", "cancelled a campaign"),
    Act.CAMPAIGN_RETRIED: ("sends", "sent the failed ones of a campaign again"),
    Act.CAMPAIGN_SETTLED: ("sends", "said what became of the unknown ones of a campaign"),
    Act.IMPORT_STARTED: ("imports", "uploaded a file"),
    Act.IMPORT_APPLIED: ("imports", "applied an import"),
    Act.IMPORT_UNDONE: ("imports", "undid an import"),
    Act.IMPORT_DISCARDED: ("imports", "discarded an import"),
    Act.PAYMENT_ATTRIBUTED: ("money", "said who sold a payment"),
    Act.EXPORTED: ("exports", "downloaded"),
    Act.EXPORT_BEGUN: ("exports", "had a file made of the whole account"),
    Act.FAN_DELETED: ("exports", "deleted a fan"),
    Act.FAN_ERASED: ("exports", "erased a fan"),
}


@dataclass(frozen=True)
class Actor:
    """Who acts now. Without a user id: Greenroom itself, somebody who is not signed in, or the command line."""

    user_id: int | None = None
    name: str = "Greenroom"
    address: str = ""


_actor: ContextVar[Actor] = ContextVar("actor", default=Actor())  # noqa: B039  it cannot change


def act_as(actor: Actor) -> None:
    """From now on in this request, job or command; so that actions need no request to say who acts."""
    _actor.set(actor)


def act_as_user(user: User) -> None:
    """Who has just shown who they are, at the address that is known already."""
    _actor.set(replace(_actor.get(), user_id=user.id, name=user.name))


def record(account_id: int, act: Act, kind: str = "", about_id: int | None = None, words: str = "") -> None:
    """Does not commit. `kind`, `about_id` and `words` say what it was done to; words hold no secrets."""
    actor = _actor.get()
    db.session.add(
        AuditEntry(
            account_id=account_id,
            user_id=actor.user_id,
            user_name=actor.name,
            address=actor.address,
            act=act,
            about_kind=kind,
            about_id=about_id,
            words=words[:500],
            request_id=str(structlog.contextvars.get_contextvars().get("request_id", "")),
        )
    )


def record_export(account_id: int, words: str, kind: str = "", about_id: int | None = None) -> None:
    """Before the first row leaves. Commits: what is to be read on must be found after it."""
    with write():
        record(account_id, Act.EXPORTED, kind, about_id, words)
