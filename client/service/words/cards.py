"""Words of cards: why a lesson is not green, in one short line."""

from typing import Final

WORDS: Final[dict[str, str]] = {
    "reason.reason_not_decoded": "This PC cannot play the video; slides and sheets work",
    "reason.reason_protected": "The platform does not allow the video here; use slides and sheets",
    "reason.reason_coming": "{size} still on its way",
    "reason.reason_missing": "{size} not on this PC yet",
    "reason.reason_unknown_parts": "Its parts are not known yet",
    "reason.reason_not_checked": "Still being checked on this PC",
    "reason.reason_not_in_catalogue": "This lesson is no longer in the catalogue",
}
