"""The interface `language` of wit/language.wit; its programs are in `language`."""

import json

import wit_world
from componentize_py_types import Err, Ok, Result
from wit_world.exports.language import EvalError

import condition
import language


class Language(wit_world.exports.Language):
    def evaluate_all(
        self, programs: list[language.Program], event: bytes
    ) -> list[Result[bool, EvalError]]:
        """Parses the event once for all programs."""
        try:
            parsed = json.loads(event)
        except (ValueError, RecursionError) as error:
            return [Err(EvalError(f"the event does not read: {error}")) for _ in programs]
        return [verdict(program, parsed) for program in programs]


def verdict(program: language.Program, event: dict) -> Result[bool, EvalError]:
    try:
        return Ok(program.condition.holds(event))
    except condition.NoVerdict as error:
        return Err(EvalError(str(error)))
