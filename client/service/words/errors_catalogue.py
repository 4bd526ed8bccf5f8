"""Words for what can go wrong while the catalogue is read."""

from typing import Final

WORDS: Final[dict[str, str | tuple[str, str]]] = {
    "error.document_broken": "The platform sent a list that cannot be read.",
    "hint.document_broken": "Try again later. What you already have is unharmed.",
    "error.document_too_large": "The platform sent far more than a list can hold.",
    "hint.document_too_large": "It was thrown away. Check the address of the source.",
    "error.platform_refuses": "The platform refuses to answer this room for now.",
    "hint.platform_refuses": "Wait a day before trying again. Cached lessons work as before.",
}
