"""What stands in a pack to take home, and why something is not in it."""

from typing import Final

WORDS: Final[dict[str, str]] = {
    "home.title": "Lessons to take home",
    "home.how": "Touch a line to open it. Nothing has to be installed, and no network is needed. On a television, choose the film in its folder.",
    "home.stream": "This film may not open on a phone. It plays on most televisions, and on phones with the free player VLC.",
    "home.rights": "For the pupils of this school. The lessons belong to those who made them: please do not pass them on.",
    "error.home_nothing": "None of these lessons is here to take home",
    "hint.home_nothing": "Fetch them first; protected lessons stay here",
    "error.home_not_empty": "{path} is there already and holds other things",
    "hint.home_not_empty": "Choose an empty or a new folder, or another name for the zip file",
    "error.home_full": "The pack needs {need_mb} MB; {free_mb} MB are free there",
    "hint.home_full": "Take fewer lessons, or a larger stick",
    "error.home_failed": "{path} could not be written",
    "hint.home_failed": "Plug the stick in again and pack once more; what is whole stays",
    "rejected.not_here": "not here yet",
    "rejected.withdrawn": "withdrawn by its source",
    "rejected.not_to_relay": "not to be handed on",
    "rejected.written_wrong": "came out wrong on the stick",
}
