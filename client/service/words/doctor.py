"""Words of 体检."""

from typing import Final

WORDS: Final[dict[str, str | tuple[str, str]]] = {
    "doctor.again": "Check again",
    "doctor.looking": "Looking …",
    "doctor.verdict_ok": "All is well",
    "doctor.verdict_advice": (
        "You can teach; {n} thing could be better",
        "You can teach; {n} things could be better",
    ),
    "doctor.verdict_bad": ("{n} thing needs you", "{n} things need you"),
    "doctor.state_ok": "fine",
    "doctor.state_advice": "could be better",
    "doctor.state_bad": "needs you",
    "doctor.state_unknown": "not looked at",
    "doctor.fix_back_up": "Back up now",
    "doctor.fix_check_files": "Check all files",
    "doctor.fix_open_transfer": "Make room",
    "doctor.fix_open_settings": "Open settings",
    "doctor.fix_send": "Send now",
    "doctor.mended_back_up": "The records were backed up.",
    "doctor.mended_check_files": "{n} files were checked.",
    "doctor.disk": "Room on disk",
    "doctor.disk_unknown": "Not looked at",
    "doctor.disk_ok": "{free} free of {total}",
    "doctor.disk_low": "{free} free of {total}",
    "doctor.disk_low_hint": "A week of lessons may not fit.",
    "doctor.disk_full": "Only {free} free",
    "doctor.disk_full_hint": "New lessons cannot come. Remove lessons you no longer need.",
    "doctor.disk_read_only": "This folder cannot be written",
    "doctor.disk_read_only_hint": "Records cannot be kept. Ask the one who looks after the PC.",
    "doctor.player": "Player",
    "doctor.player_unknown": "Not looked at",
    "doctor.player_ok": "Video and sound play",
    "doctor.player_no_decoder": "Videos do not play on this PC",
    "doctor.player_no_decoder_hint": (
        "Install VLC 3 again with all its parts. Slides and sheets work meanwhile."
    ),
    "doctor.player_no_player": "No player was found",
    "doctor.player_no_player_hint": "Install VLC 3. Slides and sheets work meanwhile.",
    "doctor.screens": "Screens",
    "doctor.screens_unknown": "Not looked at",
    "doctor.screens_one": "One screen, {width} x {height}: pupils see what you see",
    "doctor.screens_several": "{n} screens: the class gets one of its own",
    "doctor.screens_small": "{width} x {height} is small",
    "doctor.screens_small_hint": "Choose at least 1024 x 768 in the PC's display settings.",
    "doctor.fonts": "Letters",
    "doctor.fonts_unknown": "Not looked at",
    "doctor.fonts_ok": "Chinese can be shown and printed",
    "doctor.fonts_no_screen_font": "Chinese may show as boxes",
    "doctor.fonts_no_screen_font_hint": "Install Noto Sans CJK or Source Han Sans.",
    "doctor.fonts_no_print_font": "Chinese cannot be printed",
    "doctor.fonts_no_print_font_hint": "Install a TrueType font such as WenQuanYi Zen Hei.",
    "doctor.keyring": "Token",
    "doctor.keyring_unknown": "Not looked at",
    "doctor.keyring_none": "None kept; teaching needs none",
    "doctor.keyring_ok": "In the PC's keyring",
    "doctor.keyring_file": "In a file that only you can read",
    "doctor.keyring_file_hint": "This PC has no keyring. Do not share this account.",
    "doctor.journal": "Class records",
    "doctor.journal_unknown": "Not looked at",
    "doctor.journal_ok": "{n} entries, none missing",
    "doctor.journal_several": "{n} entries in {logs} logs, none missing",
    "doctor.journal_forked": "{n} entries in {logs} logs, none missing",
    "doctor.journal_forked_hint": (
        "The PC was copied, or an old disk came back ({forks} times). Both ways are kept."
    ),
    "doctor.journal_damaged": "{damaged} damaged entries were met",
    "doctor.journal_damaged_hint": "They are repaired when Tongke starts again.",
    "doctor.journal_suspect": "A damaged entry was met",
    "doctor.journal_suspect_hint": "It is repaired when Tongke starts again.",
    "doctor.journal_full": "The disk is full: new records are not kept",
    "doctor.journal_full_hint": (
        "You can teach as usual. Delete files you no longer need, or ask the one who looks after"
        " the PC. This line goes away by itself."
    ),
    "doctor.journal_low": "The disk is almost full",
    "doctor.journal_low_hint": (
        "Records are still kept. Delete files you no longer need, or ask the one who looks after"
        " the PC."
    ),
    "doctor.journal_refused": "The disk takes nothing: new records are not kept",
    "doctor.journal_refused_hint": (
        "You can teach as usual. Ask the one who looks after the PC whether the disk is locked or"
        " broken. This line goes away by itself."
    ),
    "doctor.backups": "Backups",
    "doctor.backups_unknown": "Not looked at",
    "doctor.backups_ok": "{n} kept beside the records, nothing is newer",
    "doctor.backups_behind": "{n} kept beside the records; {behind} entries are newer",
    "doctor.backups_none": "None yet",
    "doctor.backups_old": "{behind} entries are newer than the newest one",
    "doctor.clock": "Clock",
    "doctor.clock_unknown": "Not looked at",
    "doctor.clock_ok": "Date and time look right",
    "doctor.clock_wrong": "The PC says it is {year}",
    "doctor.clock_wrong_hint": (
        "Set date and time. The battery on the board may be empty; teaching goes on as usual."
    ),
    "doctor.clock_off": "The clock was wrong",
    "doctor.clock_off_hint": (
        "Set date and time. Dates of records are put right as far as they can be."
    ),
    "doctor.clock_went_back": "The clock forgets the date when the PC is off",
    "doctor.clock_went_back_hint": (
        "The battery on the board may be empty. Teaching goes on as usual."
    ),
    "doctor.clock_set": "The clock was set while the PC ran",
    "doctor.clock_set_hint": (
        "If nobody did, ask the one who looks after the PC. Records keep their order."
    ),
    "doctor.clock_contradicted": "Those who told this PC the time do not agree",
    "doctor.clock_contradicted_hint": "Ask the one who looks after the hub to check its clock.",
    "doctor.clock_unsure": "The date may be wrong",
    "doctor.clock_unsure_hint": (
        "Classes are taught as usual; their dates are marked as not sure in the records."
    ),
    "doctor.restore": "After a restart",
    "doctor.restore_keeps": "What was recorded is still there",
    "doctor.restore_alone": "This PC forgets everything at each restart (restore card)",
    "doctor.restore_alone_hint": (
        "Records are lost when it is switched off. Add the hub in Settings, or ask the one who"
        " looks after the PC for a folder that is not put back."
    ),
    "doctor.restore_forgets": "This PC forgets everything at each restart (restore card)",
    "doctor.restore_forgets_hint": (
        "There are records that no hub has yet. Before switching off, connect and press Send now."
    ),
    "doctor.restore_sent": "This PC forgets everything at each restart (restore card)",
    "doctor.restore_sent_hint": (
        "All records so far have reached the hub. You may switch the PC off."
    ),
    "doctor.hub": "Hub",
    "doctor.hub_ok": "{name}: met {when}",
    "doctor.hub_away": "{name}: met {when}",
    "doctor.hub_away_hint": "Not to be reached now; teaching is not affected.",
    "doctor.hub_never": "{name}: not met yet",
    "doctor.hub_never_hint": "What was recorded waits here until then.",
    "doctor.repairs": "Last start",
    "doctor.repairs_unknown": "Not looked at",
    "doctor.repairs_none": "Nothing had to be repaired",
    "doctor.repairs_some": "{n} thing was repaired at the start",
    "doctor.repairs_some_hint": (
        "Nothing recorded was lost. A check of all files tells whether all lessons are whole."
    ),
}
