"""What a packer knows before the first event: two lessons, packed with nothing known.

Counts and lists of `client.domain.record.packing` begin where these events leave them, so that
a day costs little from its first lesson on. The constant belongs to format 1 of a segment and never
changes; `tests/golden/primer.txt` holds its events.
"""

from typing import Final

PRIMER_EVENTS: Final = 40
PRIMER_NUMBER: Final = bytes.fromhex(
    "0ffcf96eb1c968f16bbfb592e474852f6f8d8acb9e974bc87a63d8ecfb1c3e661eb00c696af5625753260ff5"
    "932276e2bef8ad3a52ac4a5ef9392415672c361a1ed32a88ad71107b531cfa18baece7eee70ab54d2a370b15"
    "2b7f44bede35d93d0b6a5ea4b91ef06685370afaa45f6c0183b0aad34c832bcb0f7256772e464e2c136739fa"
    "47de54dbd25d0362f40a8a1fd763c08f41b80deccecdac7b873fdb875e858220fe1f86b8b1dd9aeb4ee61be6"
    "ad0520f20d8f7e4d8e129de45526bb37e5b43071b2049997aaf5aef95388cb59d1a97bee4a736429687feb73"
    "e1a9dbdb3731982ae0ac5a00a2ab3c2af3223c46f5bff27c961384e698284d067f7109550bb373d7c6674987"
    "4d821dee1f831a036abb2a257f91a08afa3fa24f47ecb50f311d3a25bce0bf803d0a498e5cd8a7371e6c8575"
    "609fd55172d89862f0d819d5301008ccf04aee"
)
PRIMER_STRINGS: Final = bytes.fromhex(
    "0000000000000001633500000000000040008000000000000001414243446d6f73746f776e8bb266696e6973"
    "68656400000000000000020000000000004000800000000000000268616c6666657773756273746974757465"
    "7ec38bfb63617272795f6f6e"
)
