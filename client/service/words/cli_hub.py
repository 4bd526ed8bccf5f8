"""Words of the commands `hub …`."""

from typing import Final

WORDS: Final[dict[str, str | tuple[str, str]]] = {
    "cli.hub_revoke": "let a PC in no more",
    "cli.hub_nodes": "list who is enrolled",
    "cli.hub_code": "make a code that enrols, or withdraw all",
    "cli.arg.node": "short name of a PC, as “hub nodes” shows it",
    "cli.arg.for_hub": "for another hub, not for a room",
    "cli.arg.site": "id of the school, where several have one name",
    "cli.arg.namesake": "another school than the one of this name",
    "cli.arg.close": "withdraw all codes; who is enrolled stays",
    "cli.key.node": "PC",
    "cli.key.site": "id of the school",
    "cli.key.machines": "machines",
    "cli.key.revoked": "let in no more",
    "cli.key.code": "code",
    "cli.key.closed": "withdrawn codes",
    "cli.key.files": "files",
    "cli.key.set_aside": "what was there is now",
    "cli.key.sound": "sound",
    "cli.key.sites": "schools",
    "cli.key.logs": "logs",
    "cli.key.segments": "segments",
    "cli.key.events": "records",
    "cli.key.nodes": "PCs",
    "cli.key.what": "what",
    "cli.key.why": "why",
    "cli.value.hub": "hub",
}
