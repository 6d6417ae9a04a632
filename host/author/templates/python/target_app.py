"""The interface `adapter` of wit/adapter.wit, over what is in `message`."""

import json

import wit_world
from componentize_py_types import Err
from wit_world.exports.adapter import Delivery, Exchange, Request, Step, Step_SendLast
from wit_world.imports.types import Problem

import message


class Adapter(wit_world.exports.Adapter):
    def check(self, settings: bytes) -> None:
        """Called when an endpoint is saved. Raises the problems, if there are any."""
        try:
            problems = message.problems(json.loads(settings.decode()))
        except ValueError as error:
            raise Err([Problem("", f"the settings do not read: {error}")])
        if problems:
            raise Err([Problem(pointer, text) for pointer, text in problems])

    def next(self, delivery: Delivery, exchanges: list[Exchange]) -> Step:
        # The last request: 2xx is delivered, 404 and 410 are gone, all else is
        # retried. To judge the answer yourself, answer with `Step_Send` here, and
        # with `Step_Done` when `exchanges` has it.
        return Step_SendLast(request(delivery))


def request(delivery: Delivery) -> Request:
    endpoint = delivery.endpoint
    body = message.write(json.loads(delivery.alert), json.loads(endpoint.settings))
    headers = [
        ("content-type", "application/json"),
        # The target drops repeats by it: an alert is sent at least once.
        ("idempotency-key", delivery.id),
    ]
    for secret in endpoint.secrets:
        if secret.name == "token":
            headers.append(("authorization", f"Bearer {secret.reference}"))
    own = {name for name, _ in headers}
    headers += [(name, value) for name, value in endpoint.headers if name.lower() not in own]
    return Request("POST", endpoint.url, headers, json.dumps(body).encode(), True, [])
