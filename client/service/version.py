"""Which version this is. Changed by a release only (CHANGELOG.md)."""

from typing import Final

VERSION: Final = "0.1.0"
