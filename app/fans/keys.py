"""How two spellings are known to be one: the keys that make fans unique, sorted and found. No database, no web."""

from app.database import fold

LONGEST_TAG = 100
MOST_TAGS = 50


def clean_handle(text: str) -> str | None:
    """A handle with its leading @; None where nothing is left."""
    bare = text.strip().lstrip("@").strip()
    return f"@{bare}" if bare else None


def handle_key(handle: str | None) -> str | None:
    """`johndoe` and `@JohnDoe` are one fan."""
    return handle.lstrip("@").casefold() if handle else None


def email_key(email: str | None) -> str | None:
    return email.casefold() if email else None


def name_key(name: str | None) -> str | None:
    """For sorting and finding: without case and accents."""
    return fold(name) if name else None


def search_text(name: str | None, handle: str | None, email: str | None) -> str:
    return fold("\n".join(filter(None, (name, handle, email))))


def keys_of(name: str | None, handle: str | None, email: str | None) -> dict[str, str | None]:
    """The columns that are drawn from a fan's names."""
    return {
        "name_key": name_key(name),
        "handle_key": handle_key(handle),
        "email_key": email_key(email),
        "search_text": search_text(name, handle, email),
    }


def clean_tags(tags: list[str]) -> list[str]:
    """Without blanks, and once each whatever the case: the first spelling stays."""
    kept = {tag.strip().casefold(): tag.strip() for tag in reversed(tags) if tag.strip()}
    return [kept[key] for key in dict.fromkeys(tag.strip().casefold() for tag in tags if tag.strip())]
