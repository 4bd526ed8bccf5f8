"""What goes wrong with players and media, and what to do."""

from typing import Final

WORDS: Final[dict[str, str]] = {
    "error.player_missing": "There is no video player on this computer",
    "hint.player_missing": "Install VLC 3, then start Tongke again",
    "error.no_player": "Videos cannot be played on this computer",
    "hint.no_player": "Slides and sheets can be used. For videos, install VLC 3",
    "error.player_closed": "The player was closed already",
    "hint.player_closed": "Open the lesson again",
    "error.player_empty": "No video is open",
    "hint.player_empty": "Choose a video of the lesson",
    "error.media_missing": "{name} is not there",
    "hint.media_missing": "Fetch the lesson again",
    "error.media_unplayable": "This file does not play on this computer",
    "hint.media_unplayable": "Choose another quality, or use the slides",
    "error.probe_crashed": "This file is damaged or made to do harm",
    "hint.probe_crashed": "Delete it and fetch it again",
    "error.probe_slow": "This computer was too busy to try the file",
    "hint.probe_slow": "It is tried again later",
}
