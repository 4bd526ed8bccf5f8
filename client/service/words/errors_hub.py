"""Words of what may go wrong between a room and a hub."""

from typing import Final

WORDS: Final[dict[str, str | tuple[str, str]]] = {
    "error.message_invalid": "The other side answered in a way that Tongke does not understand.",
    "hint.message_invalid": "Nothing was lost. If it stays like this, bring both sides up to date.",
    "error.version_unknown": "The other side speaks a newer version.",
    "hint.version_unknown": "Update Tongke. Everything recorded is kept until then.",
    "error.reply_to_another": "An answer came that belongs to another question.",
    "hint.reply_to_another": "It was left out. Tongke asks again by itself.",
    "error.node_unknown": "The hub does not know this PC.",
    "hint.node_unknown": "Enrol it with a code from whoever keeps the hub.",
    "error.node_revoked": "The hub no longer lets this PC in.",
    "hint.node_revoked": "Ask whoever keeps the hub. Everything recorded stays on this PC.",
    "error.site_denied": "The hub knows this PC under another school.",
    "hint.site_denied": "Enrol it again with a code for this school.",
    "error.school_ambiguous": "There are several schools of this name at this hub.",
    "hint.school_ambiguous": (
        "It takes a code for your own school: “hub code --school … --site …”, with the id that "
        "“hub nodes” shows."
    ),
    "error.school_absent": "No school of this name has this id: {school}, {site}",
    "hint.school_absent": "“hub nodes” shows the ids of schools.",
    "error.code_invalid": "This code is mistyped.",
    "hint.code_invalid": "Look at it again: 18 letters and digits. 0, 1, I, L and O never occur.",
    "error.code_unknown": "The hub does not know this code.",
    "hint.code_unknown": "Ask whoever keeps the hub for a new one.",
    "error.proof_bad": "Whoever answered does not know the code: it is not your hub.",
    "hint.proof_bad": "Check the address. Nothing was sent that matters.",
    "error.too_often": "The hub was asked too often.",
    "hint.too_often": "Tongke tries again by itself.",
    "error.type_wrong": "Something other than a message of Tongke arrived.",
    "hint.type_wrong": "Check the address.",
    "error.too_slow": "The other side took too long.",
    "hint.too_slow": "Tongke tries again by itself.",
    "error.hub_absent": "There is no hub in {path}.",
    "hint.hub_absent": "Check the folder. “hub --data DIR” makes one at its first start.",
    "error.hub_key_lost": "The hub's own key is missing or damaged: {path}",
    "hint.hub_key_lost": "Restore a backup. Rooms would not trust a new key.",
    "error.hub_in_use": "The hub in {path} is running.",
    "hint.hub_in_use": "Stop it first.",
    "error.address_taken": "The hub cannot listen on {address}: {detail}",
    "hint.address_taken": "Another program uses this port, or the address is not of this PC.",
    "error.backup_exists": "There is something in {path} already.",
    "hint.backup_exists": "Choose a new name: a backup never replaces anything.",
    "error.backup_absent": "There is no backup in {path}.",
    "hint.backup_absent": "Choose the folder that “hub backup” wrote.",
    "error.backup_damaged": "This backup is damaged: {path}",
    "hint.backup_damaged": "Nothing was changed. Take another backup.",
    "notice.key_on_two_machines": (
        "Two PCs use one key: one is a copy of the other. Records of both are kept."
    ),
}
