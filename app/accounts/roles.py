"""Who may do what: the one table. The guard asks it for every request, pages for what they offer, tests for all of it."""

from enum import StrEnum


class Role(StrEnum):
    OWNER = "owner"
    MANAGER = "manager"
    CHATTER = "chatter"
    UPLOADER = "uploader"
    VIEWER = "viewer"


class Right(StrEnum):
    """As said after "may" or "may not"."""

    SIGN_IN = "sign in"
    SEE_INBOX = "see the inbox"
    ANSWER = "answer fans"
    SEE_FANS = "see fans"
    CHANGE_FANS = "add and change fans"
    DELETE_FANS = "delete fans"
    PERSONAL_DATA = "take out or erase what is kept of a fan"
    SEE_IMPORTS = "see imports"
    IMPORT = "upload files"
    SEE_CAMPAIGNS = "see campaigns"
    CAMPAIGNS = "run campaigns"
    SEE_FIGURES = "see the figures"
    ATTRIBUTE = "say who sold what"
    EXPORT = "take rows away as files"
    SEE_CONNECTION = "see the connection"
    CONNECTION = "change the connection"
    SEE_SYSTEM = "see how the system stands"
    ACCOUNT = "manage the account and its people"
    LEAVE = "take the whole account along"


LOOK = frozenset({
    Right.SEE_INBOX, Right.SEE_FANS, Right.SEE_IMPORTS, Right.SEE_CAMPAIGNS, Right.SEE_FIGURES, Right.EXPORT,
    Right.SEE_CONNECTION,
})  # fmt: skip
OWNERS_ONLY = frozenset({Right.SEE_SYSTEM, Right.ACCOUNT, Right.LEAVE})

RIGHTS: dict[str, frozenset[Right]] = {
    Role.OWNER: frozenset(Right),
    Role.MANAGER: frozenset(Right) - OWNERS_ONLY,
    Role.CHATTER: frozenset({
        Right.SIGN_IN, Right.SEE_INBOX, Right.ANSWER, Right.SEE_FANS, Right.CHANGE_FANS,
    }),
    Role.UPLOADER: frozenset({Right.SIGN_IN, Right.SEE_IMPORTS, Right.IMPORT}),
    Role.VIEWER: LOOK | {Right.SIGN_IN},
}  # fmt: skip

IN_WORDS: dict[str, str] = {
    Role.OWNER: "does everything, people and the system included",
    Role.MANAGER: "does everything but people, the audit log, the system and taking the whole account along",
    Role.CHATTER: "answers fans, and sees just the inbox and fans",
    Role.UPLOADER: "uploads files, and sees just imports",
    Role.VIEWER: "looks at everything but people and the system, and changes nothing",
}

BLUEPRINTS: dict[str, tuple[Right, Right]] = {  # (to look, to change)
    "accounts": (Right.SIGN_IN, Right.SIGN_IN),
    "conversations": (Right.SEE_INBOX, Right.ANSWER),
    "quick_replies": (Right.SEE_INBOX, Right.ANSWER),
    "media": (Right.SEE_INBOX, Right.ANSWER),
    "fans": (Right.SEE_FANS, Right.CHANGE_FANS),
    "portability": (Right.PERSONAL_DATA, Right.PERSONAL_DATA),
    "timeline": (Right.SEE_FANS, Right.CHANGE_FANS),
    "imports": (Right.SEE_IMPORTS, Right.IMPORT),
    "campaigns": (Right.SEE_CAMPAIGNS, Right.CAMPAIGNS),
    "segments": (Right.SEE_CAMPAIGNS, Right.CAMPAIGNS),
    "analytics": (Right.SEE_FIGURES, Right.ATTRIBUTE),
    "platforms": (Right.SEE_CONNECTION, Right.CONNECTION),
    "operations": (Right.SEE_SYSTEM, Right.SEE_SYSTEM),
}

_BY_RIGHT = {  # what differs from its blueprint, and all of the API, which is one blueprint
    Right.SIGN_IN: "api.revoke_token",
    Right.SEE_INBOX: """api.list_conversations api.list_messages api.search_messages api.show_message api.list_failed
        api.sending_status""",
    Right.ANSWER: """api.start_conversation api.change_conversation api.mark_conversation_read api.post_message
        api.send_message api.retry_message api.settle_message api.store_medium conversations.new_view quick_replies.new""",
    Right.SEE_FANS: "api.list_fans api.show_fan",
    Right.CHANGE_FANS: "api.add_fan api.change_fan fans.new",
    Right.DELETE_FANS: "api.remove_fan conversations.remove_fan",
    Right.SEE_IMPORTS: """api.show_import api.show_mapping api.show_rehearsal api.list_import_rows
        api.import_rows_csv""",
    Right.IMPORT: """api.import_csv api.upload_import api.map_import api.apply_import api.undo_import
        api.discard_import""",
    Right.SEE_CAMPAIGNS: """api.list_campaigns api.show_campaign api.list_recipients api.list_segments api.show_segment
        api.count_segment""",
    Right.CAMPAIGNS: """api.send_bulk api.pause_campaign api.resume_campaign api.cancel_campaign
        api.retry_failed_of_campaign api.add_segment api.change_segment api.remove_segment
        campaigns.new""",
    Right.SEE_FIGURES: "api.show_analytics",
    Right.EXPORT: "api.export_analytics fans.export campaigns.ledger analytics.export",
    Right.SEE_CONNECTION: "api.list_connections api.monitoring",
    Right.CONNECTION: "api.change_connection",
    Right.ACCOUNT: """accounts.audit accounts.export_audit accounts.people accounts.invite accounts.revoke_invitation
        accounts.change_role accounts.deactivate accounts.reactivate accounts.make_reset_link
        accounts.turn_two_step_off""",
    Right.LEAVE: """portability.leave portability.leave_progress portability.begin_export portability.download_export
        portability.discard_export""",
}
ENDPOINTS: dict[str, Right] = {name: right for right, names in _BY_RIGHT.items() for name in names.split()}


def needed(endpoint: str, *, changes: bool) -> Right:
    """What one must be allowed for this address. One that nobody has put into the tables is for owners alone."""
    look, change = BLUEPRINTS.get(endpoint.partition(".")[0], (Right.ACCOUNT, Right.ACCOUNT))
    return ENDPOINTS.get(endpoint, change if changes else look)


def has(role: str, right: Right) -> bool:
    return right in RIGHTS.get(role, ())


def with_article(role: str) -> str:
    return f"{'an' if role[:1] in 'aeiou' else 'a'} {role}"
