"""Time zones by their names in the IANA database."""

from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

OLD_FORMS = ("Etc/", "SystemV/", "posix", "right/")


def find_zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # also a name that is a folder, or too long for a file
        return None


@cache
def zone_names() -> list[str]:
    """To choose from: those of places, like Europe/Paris, and UTC."""
    places = (name for name in available_timezones() if "/" in name and not name.startswith(OLD_FORMS))
    return ["UTC", *sorted(places)]
