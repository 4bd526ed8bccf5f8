"""Words of the plan: when a lesson is here, and why."""

from typing import Final

WORDS: Final[dict[str, str | tuple[str, str]]] = {
    "plan.today": "today {clock}",
    "plan.tonight": "tonight {clock}",
    "plan.tomorrow": "tomorrow {clock}",
    "plan.weekday": "{day} {clock}",
    "plan.date": "{month}/{day} {clock}",
    "reason.plan_here": "Here and checked",
    "reason.plan_full": "{size} to come, in time",
    "reason.plan_full_when": "{size} to come, here {when}",
    "reason.plan_smaller": "{wanted} would come too late: it comes in {rendition}",
    "reason.plan_smaller_when": "{wanted} would come too late: {rendition} is here {when}",
    "reason.plan_papers": "The video would come too late: slides and sheets come, take the video from a USB stick",
    "reason.plan_sound": "The video would come too late: sound and slides come, take the video from a USB stick",
    "reason.plan_protected": "The platform bars its video: it can come from a USB stick of the county",
    "reason.plan_late": "It cannot come in time: take it from a USB stick",
    "reason.plan_unknown": "Its size is not known before the source is asked",
    "reason.plan_open": "{size} to come; nobody can say when",
    "reason.plan_no_source": "There is no source to fetch it from: take it from a USB stick",
}
