"""Sentences about lessons that are withdrawn, for every page that shows them."""

from client.domain.withdrawal import REASONS, Standing
from client.service.api import Stopped
from client.service.text import Words


def why(words: Words, stopped: Stopped) -> str:
    """Say why a lesson is withdrawn: a known reason in words, any other as its keeper wrote it."""
    known = words(f"stopped.{stopped.reason}") if stopped.reason in REASONS else stopped.reason
    return words("stopped.why", reason=known)


def until(words: Words, stopped: Stopped) -> str:
    """Say how long it may still be used here."""
    if stopped.standing is Standing.TEACHING:
        return words("stopped.teaching")
    if stopped.classes_left:
        return words.plural("stopped.left", stopped.classes_left)
    return words("stopped.over")


def other(words: Words, stopped: Stopped) -> str:
    """Name what takes its place, empty where nothing is known here."""
    if not stopped.replacement_title:
        return ""
    return words("stopped.other", title=stopped.replacement_title)
