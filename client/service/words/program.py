"""Words of the program around the pages."""

from typing import Final

WORDS: Final[dict[str, str]] = {
    "program.fetching": "It is on its way; see Transfer",
    "program.choose_folder": "Choose the folder with the lessons",
    "program.choose_token": "Choose the file with the school's token",
    "program.printed": "The sheet is ready",
    "program.open_print": "Open and print",
    "program.imported": "{n} lessons brought in",
    "program.importing": "Taking in the files…",
}
