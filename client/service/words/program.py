"""Words of the program around the pages."""

from typing import Final

WORDS: Final[dict[str, str | tuple[str, str]]] = {
    "program.fetching": "It is on its way; see Transfer",
    "program.choose_folder": "Choose the folder with the lessons",
    "program.choose_token": "Choose the file with the school's token",
    "program.printed": "The sheet is ready",
    "program.open_print": "Open and print",
    "program.imported": ("{n} lesson brought in", "{n} lessons brought in"),
    "program.imported_none": "No lessons were found there",
    "program.offered": (
        "Nobody knows which lesson {n} of them is",
        "Nobody knows which lessons {n} of them are",
    ),
    "program.offer_place": "Put into the week",
    "program.sentences": ". ",
    "program.left_out": ("{n} file was left out: {files}", "{n} files were left out: {files}"),
    "program.left_out_file": "{name} ({why})",
    "program.list": ", ",
    "program.place_title": "Which period is it for?",
    "program.place_slot": "Period {n} · {name} · {subject}",
    "program.place_later": "Later; it stays in the library",
    "program.place_no_week": "No lessons on this day. Set up the week in the timetable first.",
    "program.importing": "Taking in the files…",
}
