"""The resource `program`. The module is named after the interface."""

import json

from componentize_py_types import Err
from wit_world.exports import language
from wit_world.exports.language import Diagnostic, EvalError

import condition


class Program(language.Program):
    def __init__(self, compiled: condition.Condition):
        self.condition = compiled

    @classmethod
    def compile(cls, source: str) -> "Program":
        """When a rule is saved. Raises diagnostics; offsets are in bytes."""
        try:
            return cls(condition.Condition(source))
        except condition.Mistake as mistake:
            raise Err([Diagnostic(str(mistake), mistake.offset, 0)])

    def evaluate(self, event: bytes) -> bool:
        try:
            return self.condition.holds(json.loads(event))
        except (condition.NoVerdict, ValueError, RecursionError) as error:
            raise Err(EvalError(str(error)))
