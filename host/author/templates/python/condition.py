"""A condition language: `field = text` holds when that field of the event's
data is that text. Replace it by yours. Knows nothing of the contract, so it is
tested anywhere."""

import json


class Mistake(Exception):
    """A source that does not compile, and the byte where that shows."""

    def __init__(self, message: str, offset: int):
        super().__init__(message)
        self.offset = offset


class NoVerdict(Exception):
    """An event about which the condition says nothing."""


class Condition:
    def __init__(self, source: str):
        field, equals, text = source.partition("=")
        if not equals:
            raise Mistake("expected `=`, as in `status = FAILED`", len(source.encode()))
        if not field.strip():
            raise Mistake("expected the name of a field before `=`", 0)
        self.field, self.text = field.strip(), text.strip()

    def holds(self, event: dict) -> bool:
        data = event.get("data")
        if not isinstance(data, dict) or self.field not in data:
            raise NoVerdict(f"the event has no field `{self.field}`")
        value = data[self.field]
        if isinstance(value, str):
            return value == self.text
        try:
            return json.dumps(value) == self.text
        except RecursionError:
            raise NoVerdict(f"the field `{self.field}` is nested too deeply")
