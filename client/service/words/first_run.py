"""Words of the first run."""

from typing import Final

WORDS: Final[dict[str, str | tuple[str, str]]] = {
    "first_run.title": "A few steps, once",
    "first_run.time": "About 3 minutes, every step can be skipped",
    "first_run.step_of": "Step {n} of {total}: {name}",
    "first_run.step_language": "Language",
    "first_run.step_room": "Room and textbooks",
    "first_run.step_sources": "Where lessons come from",
    "first_run.step_books": "Which lessons",
    "first_run.step_week": "Timetable",
    "first_run.ask_language": "Which language?",
    "first_run.hint_language": "It can be changed in the settings at any time.",
    "first_run.ask_room": "Which grades are taught in this room, from which books?",
    "first_run.hint_room": (
        "Go by the words on the covers. What is wrong can be changed later; lessons and "
        "records are not lost."
    ),
    "first_run.ask_sources": "Where do the lessons come from?",
    "first_run.hint_sources": "One is enough to begin with; more can be added later.",
    "first_run.ask_books": "These lessons will be looked for",
    "first_run.hint_books": (
        "Books that are not known yet are chosen by themselves at the first contact."
    ),
    "first_run.ask_week": "What does the week look like?",
    "first_run.hint_week": "Click a cell, or paste the table from Excel. It can wait, too.",
    "first_run.back": "Back",
    "first_run.next": "Next",
    "first_run.skip": "Skip this step",
    "first_run.done": "Go to Today",
    "first_run.names": "School and room",
    "first_run.school_name": "School",
    "first_run.room_name": "Room",
    "first_run.grades": "Grades (one or more)",
    "first_run.headcounts": "How many pupils each",
    "first_run.headcounts_hint": "Numbers only, no names.",
    "first_run.covers": "Textbooks",
    "first_run.volume": "Half of the year",
    "first_run.covers_none": "Choose the grades first; their textbooks then stand here.",
    "first_run.covers_hint": (
        "The usual editions are chosen. Art, sport and others can be added in the timetable."
    ),
    "first_run.books_none": "No grade was chosen, so nothing is looked for yet.",
    "first_run.book_here": "chosen",
    "first_run.book_later": "at the first contact",
    "first_run.source_folder": "A folder or a USB stick",
    "first_run.source_folder_hint": "What the county sent, or your own videos, slides and sheets",
    "first_run.add_folder": "Choose a folder",
    "first_run.source_demo": "Four demo lessons",
    "first_run.source_demo_hint": "To try everything at once, without a network",
    "first_run.add_demo": "Put them in",
    "first_run.source_platform": "The national platform",
    "first_run.source_platform_hint": (
        "Catalogue without login; some videos need the school's token file"
    ),
    "first_run.platform_base": "Address, leave empty for the usual one",
    "first_run.token_file": "Token file",
    "first_run.add_platform": "Add",
    "first_run.platform_added": "The platform was added.",
    "first_run.token_in_file": (
        "Added. This PC has no keyring: the token lies in a file that only you can read."
    ),
    "first_run.kind_platform": "National platform",
    "first_run.kind_folder": "Folder",
    "first_run.kind_demo": "Demo lessons",
}
