"""What a packer knows before the first event: two lessons, packed with nothing known.

Counts and lists of `client.domain.record.packing` begin where these events leave them, so that
a day costs little from its first lesson on. The constant belongs to format 1 of a segment and never
changes; `tests/golden/primer.txt` holds its events.
"""

from typing import Final

PRIMER_EVENTS: Final = 40
PRIMER_NUMBER: Final = bytes.fromhex(
    "064ee849e9cc0eaa9be038f3bbd8a276b15791abaa57dc7fd3cac6c9ccc5f5ec815db015edab7fd1a4b32a34"
    "765d3be17cf675375071fd9156e1bcaf92426d0688128d4d0590d452fb57fb718523076f42cd5ab2cd70916e"
    "9c6bbea21fc25d77dde5b9bb7a8510868684df230b82253559ba83982723f5d186c326bce6c97ce0c1482d0d"
    "b93015867a7541ff759c82bc9c35762f373b987e707660b784efe050cfff2f07ddb77bbbd77ba89fa80ed10d"
    "413bf751e9ca14741e17e2d5020a973a0156fafd9235dc64b54542b96365b6be3ec3e951fe77434472e3c614"
    "0174c7de4b03104140ff3872cb485f8749337f6da541db8c763d85e37051305d01634957fbfbca8d0c451b3e"
    "2f286a9f2be6e5b72ff65e893f9d4a98644d8260c962ebf4247d4cdedc46922a71366bd3937f73ece5f5f6b2"
    "9f43cc90727703f3af4548bc6e38b79f69e1881717824aee"
)
PRIMER_STRINGS: Final = bytes.fromhex(
    "0000000000000001633500000000000040008000000000000001414243446d6f73746f776e8bb266696e6973"
    "68656400000000000000020000000000004000800000000000000268616c6666657773756273746974757465"
    "7ec38bfb63617272795f6f6e"
)
