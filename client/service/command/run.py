"""Run one command: find its handler, write its answer, say what went wrong.

Invariants:
  R1  With `--json` stdout holds exactly one JSON document, also when the command failed.
  R2  The exit code follows from the error's family; Ctrl-C is 130.
  R3  A command without a handler answers `not_in_this_version` and 2, and does nothing.
"""

import io
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TextIO

from client.domain.errors import Cancelled, ClassroomError, UsageError
from client.service.command.documents import Outcome, document, error_document
from client.service.command.lines import lines
from client.service.command.parse import Invocation, language_of, parse
from client.service.text import DEFAULT_LANGUAGE, Words
from client.service.version import VERSION

Handlers = Mapping[str, Callable[[Invocation], object]]
"""Commands by name. What a handler gives is written to stdout; None writes nothing."""

OK: Final = 0


def run(
    argv: Sequence[str],
    handlers: Handlers,
    *,
    language: str = DEFAULT_LANGUAGE,
    out: TextIO | None = None,
    err: TextIO | None = None,
) -> int:
    """Run the command line `argv` and return its exit code. `language`: when none is asked for."""
    streams = (_utf8(out or sys.stdout), _utf8(err or sys.stderr))
    words = Words(language_of(argv) or language)
    is_json = "--json" in argv
    try:
        invocation = parse(argv, words, handlers.keys())
        return _run(invocation, handlers, words, streams)
    except KeyboardInterrupt:
        return print_error(Cancelled(), words, is_json=is_json, streams=streams)
    except ClassroomError as error:
        return print_error(error, words, is_json=is_json, streams=streams)


def _run(
    invocation: Invocation, handlers: Handlers, words: Words, streams: tuple[TextIO, TextIO]
) -> int:
    if invocation.help:
        print_result({"help": invocation.help}, invocation, words, streams[0])
        return OK
    if invocation.command == "version":
        print_result({"version": VERSION}, invocation, words, streams[0])
        return OK
    handler = handlers.get(invocation.command)
    if handler is None:
        raise UsageError("not_in_this_version", {"what": invocation.command})
    value = handler(invocation)
    outcome = value if isinstance(value, Outcome) else Outcome(value=value, exit_code=OK)
    print_result(outcome.value, invocation, words, streams[0])
    return outcome.exit_code


def print_result(value: object, invocation: Invocation, words: Words, out: TextIO) -> None:
    """Write an answer: one JSON document, or lines for people."""
    if invocation.is_json:
        out.write(json.dumps(document(value if value is not None else {}), ensure_ascii=False))
        out.write("\n")
    elif value is not None:
        out.writelines(f"{line}\n" for line in lines(document(value), words))
    out.flush()


def print_error(
    error: ClassroomError, words: Words, *, is_json: bool, streams: tuple[TextIO, TextIO]
) -> int:
    """Write an error where it belongs and return its exit code."""
    out, err = streams
    if is_json:
        out.write(json.dumps(error_document(error, words), ensure_ascii=False) + "\n")
        out.flush()
    else:
        err.writelines(f"{line}\n" for line in (words.error(error), words.hint(error)) if line)
        err.flush()
    return error.exit_code


def _utf8(stream: TextIO) -> TextIO:
    """Make a stream take Chinese whatever the console's code page is."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    return stream
