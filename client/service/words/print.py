"""Words on printed sheets, and what may go wrong with them."""

from typing import Final

WORDS: Final[dict[str, str | tuple[str, str]]] = {
    "print.steps_title": "Teacher's steps",
    "print.about_minutes": ("about {n} min", "about {n} min"),
    "print.keys": "Space play/pause · ↑ again · PgDn next · B black · hold Esc to end",
    "print.notes": "Notes",
    "error.print_nothing": "“{title}” has no such sheet on this computer.",
    "hint.print_nothing": "Fetch the lesson first, or write it on the board.",
    "error.print_unreadable": "The file “{name}” could not be read for printing.",
    "hint.print_unreadable": "Show it on the stage instead; fetching the lesson again may mend it.",
    "error.print_font_missing": "This computer has no Chinese font for printing.",
    "hint.print_font_missing": "Install the font “WenQuanYi Micro Hei”, or run the setup again.",
    "error.print_not_written": "The sheet could not be saved as {path}.",
    "hint.print_not_written": "Choose another folder, or make room on the disk.",
    "error.profile_unusable": "The folder {path} cannot be used.",
    "hint.profile_unusable": "Choose another folder, or ask who looks after the computer.",
}
