"""Words of the default cue sheet: what a step is called, and what the pupils are asked."""

from typing import Final

WORDS: Final[dict[str, str | tuple[str, str]]] = {
    "cue.lead_in": "Lead-in",
    "cue.new_content": "New content",
    "cue.pause_and_ask": "Pause and ask",
    "cue.consolidate": "Consolidate",
    "cue.slides": "Slides",
    "cue.task_sheet": "Task sheet",
    "cue.exercise": "Exercises",
    "cue.textbook": "Textbook and board",
    "cue.summary": "Summary",
    "prompt.lead_in": "Watch the beginning together.",
    "prompt.new_content": "Watch on. What is new today?",
    "prompt.pause_and_ask": "Who can say in own words what was just explained?",
    "prompt.consolidate": "Watch on and check whether you had it right.",
    "prompt.slides": "Look at the slides together.",
    "prompt.task_sheet": "Work on the task sheet, alone or with your neighbour.",
    "prompt.exercise": "Do the exercises. Compare when you are done.",
    "prompt.textbook": "Open the textbook. We work at the board.",
    "prompt.summary": "What did we learn today?",
}
