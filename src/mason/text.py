"""Text from a file as it may be shown: whatever stands in it, it must not speak to a terminal."""

from __future__ import annotations

from json import dumps

_ROOM = 200  # characters of one name or path in a message


def shown(text: str, room: int = _ROOM) -> str:
    """Return a text from a file as it may be shown: printable, in one line, its middle cut."""
    if len(text) > room:
        text = f"{text[: room * 2 // 3]}...{text[-room // 3 :]}"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def literal(text: str) -> str:
    """Return the Python literal of a text, in ASCII: look-alike letters show what they are."""
    # beyond U+FFFF JSON writes two escapes, which Python takes for two surrogates
    return dumps(text) if max(text, default="") <= "\uffff" else ascii(text)
