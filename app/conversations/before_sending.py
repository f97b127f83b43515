"""What a person is asked about, once, before a message goes out. Programs are not asked: they mean what they write."""

import hashlib

from app.fans import placeholders


def warnings_about(text: str) -> list[str]:
    """What is seen is what is sent: a placeholder that still stands in the text would reach the fan as it is."""
    left = placeholders.written_in(text)
    if not left:
        return []
    said = f"{', '.join(left)} {'is' if len(left) == 1 else 'are'} not filled in"
    return [f"Not sent yet: {said}. Write it yourself, or send the text as it is."]


def agreement_to(text: str, warnings: list[str]) -> str:
    """Stands for this text and these warnings: another text, or a further warning, asks again."""
    return hashlib.sha256("\0".join((text, *warnings)).encode()).hexdigest()
