"""What a file is, by its first bytes. Names and declared types are not believed."""

import re

SIGNATURES = (
    (re.compile(rb"^\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"^\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"^GIF8[79]a"), "image/gif"),
    (re.compile(rb"^RIFF....WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"^....ftyp(M4A|M4B)", re.DOTALL), "audio/mp4"),
    (re.compile(rb"^....ftypqt", re.DOTALL), "video/quicktime"),
    (re.compile(rb"^....ftyp(mp4|iso|avc|M4V|dash|MSNV)", re.DOTALL), "video/mp4"),
    (re.compile(rb"^\x1aE\xdf\xa3"), "video/webm"),
    (re.compile(rb"^(ID3|\xff[\xfb\xf3\xf2])"), "audio/mpeg"),
    (re.compile(rb"^OggS"), "audio/ogg"),
    (re.compile(rb"^RIFF....WAVE", re.DOTALL), "audio/wav"),
)
KINDS = {"image": "photo", "video": "video", "audio": "audio"}


def content_type_of(head: bytes) -> str | None:
    """From the first 16 bytes or more; None for what cannot be sent as a medium."""
    return next((name for pattern, name in SIGNATURES if pattern.match(head)), None)


def kind_of(content_type: str) -> str:
    """photo, video or audio, as platforms call them."""
    return KINDS.get(content_type.partition("/")[0], "file")
