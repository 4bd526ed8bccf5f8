"""Check the word areas and compile them: `python packaging/compile_words.py [--check]`.

For every language, the areas' `.po` files become one `LC_MESSAGES/tongke.mo` whose messages are
found by key. `--template` writes `build/tongke.pot` for translators.

Invariants:
  L1  A key stands in exactly one area.
  L2  Every language has every key, with the same placeholders and the plural forms it needs.
  L3  A translation whose English sentence has changed is reported, not shown as if it fitted.
"""

import argparse
import hashlib
import string
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT))

from babel.messages.catalog import Catalog, Message  # noqa: E402 - the checkout comes first
from babel.messages.mofile import write_mo  # noqa: E402
from babel.messages.pofile import read_po, write_po  # noqa: E402

from client.service.text import DOMAIN, LOCALE_DIR, SOURCE_LANGUAGE, Sentence, areas  # noqa: E402


def placeholders(text: str) -> frozenset[str]:
    """List the names of the placeholders in `text`.

    Raises:
        ValueError: Its braces do not pair.
    """
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def forms(text: str | Iterable[str] | None) -> tuple[str, ...]:
    """Give a sentence as a tuple of its forms."""
    return (text,) if isinstance(text, str) else tuple(text or ())


def translations(folder: Path) -> tuple[str, ...]:
    """List the languages that have a folder with `.po` files."""
    return tuple(
        sorted(
            p.name for p in folder.iterdir() if p.name != SOURCE_LANGUAGE and any(p.glob("*.po"))
        )
    )


def read_area(path: Path, language: str) -> Catalog:
    """Read one `.po` file, empty when there is none."""
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def english_problems(sources: Mapping[str, Mapping[str, Sentence]]) -> Iterator[str]:
    """Check L1 and the braces of the English sentences."""
    seen: dict[str, str] = {}
    for area, words in sources.items():
        for key, sentence in words.items():
            if key in seen:
                yield f"{area}: key {key} also stands in {seen[key]}"
            seen[key] = area
            for text in forms(sentence):
                yield from _brace_problems(f"{area}: {key}", text)


def area_problems(
    area: str, words: Mapping[str, Sentence], catalogue: Catalog, plurals: int
) -> Iterator[str]:
    """Check L2 and L3 for one area of one language."""
    by_key = {message.context: message for message in catalogue if message.id}
    for missing in words.keys() - by_key.keys():
        yield f"{area}: {missing} is not translated"
    for key, message in by_key.items():
        if key is None or key not in words:
            yield f"{area}: {key or message.id} is no key of this area"
        else:
            yield from _message_problems(f"{area}: {key}", words[key], message, plurals)


def _message_problems(
    where: str, sentence: Sentence, message: Message, plurals: int
) -> Iterator[str]:
    if forms(sentence) != forms(message.id):
        yield f"{where} translates another English sentence than the one in use"
    texts = forms(message.string)
    if len(texts) != (plurals if isinstance(sentence, tuple) else 1):
        yield f"{where} has {len(texts)} forms"
    if message.fuzzy or not all(texts):
        yield f"{where} is empty or marked as unsure"
    wanted = frozenset[str]().union(*(_names(text) for text in forms(sentence)))
    for text in texts:
        yield from _brace_problems(where, text)
        if _names(text) != wanted and not (isinstance(sentence, tuple) and _names(text) <= wanted):
            yield f"{where} needs the placeholders {sorted(wanted)}"


def _names(text: str) -> frozenset[str]:
    try:
        return placeholders(text)
    except ValueError:
        return frozenset()


def _brace_problems(where: str, text: str) -> Iterator[str]:
    try:
        names = placeholders(text)
    except ValueError as error:
        yield f"{where}: {error}"
        return
    yield from (f"{where}: odd placeholder {name!r}" for name in names if not name.isidentifier())


def problems(sources: Mapping[str, Mapping[str, Sentence]], folder: Path) -> tuple[str, ...]:
    """List everything that is wrong, in all languages."""
    found = list(english_problems(sources))
    for language in translations(folder):
        plurals = Catalog(locale=language).num_plurals
        for area, words in sources.items():
            catalogue = read_area(folder / language / f"{area}.po", language)
            lines = area_problems(area, words, catalogue, plurals)
            found += [f"{language}/{line}" for line in sorted(lines)]
        orphans = {path.stem for path in (folder / language).glob("*.po")} - sources.keys()
        found += [f"{language}/{area}.po belongs to no area" for area in sorted(orphans)]
    return tuple(found)


def compile_language(language: str, folder: Path) -> Path:
    """Merge the areas of `language` into one catalogue by key, and return its path."""
    merged = Catalog(locale=language, project="Tongke", charset="utf-8", fuzzy=False)
    for path in sorted((folder / language).glob("*.po")):
        for message in read_area(path, language):
            if message.id and message.context and all(forms(message.string)):
                is_plural = isinstance(message.id, tuple)
                key = (message.context, message.context) if is_plural else message.context
                merged.add(key, message.string)
    target = folder / language / "LC_MESSAGES" / f"{DOMAIN}.mo"
    target.parent.mkdir(exist_ok=True)
    fresh = target.with_suffix(".new")
    with fresh.open("wb") as file:
        write_mo(file, merged)
    fresh.replace(target)
    return target


def stamp(folder: Path) -> str:
    """Digest of all sources of the compiled catalogues."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*/*.po")):
        digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()


def compile_all(folder: Path = LOCALE_DIR) -> tuple[Path, ...]:
    """Compile every language whose sources changed since the last time."""
    wanted = stamp(folder)
    mark = folder / "compiled.stamp"
    targets = tuple(folder / name / "LC_MESSAGES" / f"{DOMAIN}.mo" for name in translations(folder))
    if (
        mark.exists()
        and mark.read_text(encoding="ascii") == wanted
        and all(path.exists() for path in targets)
    ):
        return ()
    done = tuple(compile_language(name, folder) for name in translations(folder))
    mark.write_text(wanted, encoding="ascii")
    return done


def write_template(sources: Mapping[str, Mapping[str, Sentence]], target: Path) -> None:
    """Write all keys with their English sentences as a `.pot` file."""
    template = Catalog(project="Tongke", charset="utf-8")
    for area, words in sources.items():
        for key, sentence in words.items():
            template.add(sentence, context=key, auto_comments=[area])
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        write_po(file, template, width=100)


def main(arguments: list[str]) -> int:
    """Run the command line: 1 when something is wrong."""
    parser = argparse.ArgumentParser(description="Check and compile the words of Tongke.")
    parser.add_argument("--check", action="store_true", help="report gaps and change nothing")
    parser.add_argument("--template", action="store_true", help="write build/tongke.pot")
    options = parser.parse_args(arguments)
    sources = dict(areas())
    if options.template:
        write_template(sources, ROOT / "build" / f"{DOMAIN}.pot")
    if options.check:
        found = problems(sources, LOCALE_DIR)
        print("\n".join(found) or f"words: {sum(map(len, sources.values()))} keys are complete")
        return 1 if found else 0
    for path in compile_all():
        print(f"words: {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
