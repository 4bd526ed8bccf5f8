"""Files of office programs: why they are not shown, and what to do."""

from typing import Final

WORDS: Final[dict[str, str]] = {
    "error.office_missing": "{name} is a file of an office program",
    "hint.office_missing": "Save it as PDF, or install LibreOffice, then import it again",
    "error.office_failed": "{name} could not be made into a PDF",
    "hint.office_failed": "Open it in the program it was made with and save it as PDF",
    "rejected.office_missing": "slides or text of an office program: save it as PDF, or install LibreOffice, then import again",
    "rejected.office_failed": "could not be made into a PDF: save it as PDF where it was made",
}
