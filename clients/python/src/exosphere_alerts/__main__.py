"""`python -m exosphere_alerts`: looks into the outbox that the environment names, and emits from a
shell. For the person who was told that events wait, or that one was refused."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from .emitter import Emitter
from .errors import AlertsError
from .settings import from_env

SEND_S = 30.0
"""How long `emit`, `send` and `retry` wait for the host."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0, or 1 where something is not as it was wanted."""
    parser = argparse.ArgumentParser(
        prog="python -m exosphere_alerts",
        description="Settings: ALERTS_URL, ALERTS_KEY, ALERTS_OUTBOX, ALERTS_NAMESPACE, ALERTS_SOURCE.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    emit = commands.add_parser("emit", help="store one event and send it")
    emit.add_argument("type")
    emit.add_argument("--data", help="JSON")
    emit.add_argument("--subject")
    emit.add_argument("--id")
    commands.add_parser("status", help="how many events wait, and why")
    commands.add_parser("send", help="send what waits, and say what came of it")
    refused = commands.add_parser("refused", help="list events that the host refused")
    refused.add_argument("--limit", type=int, default=100)
    commands.add_parser("retry", help="send the refused ones again, once their cause is mended")
    commands.add_parser("drop", help="forget the refused ones")
    chosen = parser.parse_args(arguments)
    try:
        with from_env() as emitter:
            return _do(emitter, chosen)
    except AlertsError as error:
        print(error, file=sys.stderr)
        return 1


def _do(emitter: Emitter, chosen: argparse.Namespace) -> int:
    match chosen.command:
        case "emit":
            try:
                data = None if chosen.data is None else json.loads(chosen.data)
            except ValueError as error:
                print(f"--data is not JSON: {error}", file=sys.stderr)
                return 1
            emitter.emit(chosen.type, data, subject=chosen.subject, id=chosen.id)
            return _sent(emitter)
        case "send":
            return _sent(emitter)
        case "retry":
            print(f"{emitter.retry_refused()} events wait again")
            return _sent(emitter)
        case "drop":
            print(f"{emitter.drop_refused()} events are forgotten")
            return 0
        case "refused":
            for one in emitter.refused(chosen.limit):
                print(f"{one.refused_at} {one.status} {one.detail}\n  {one.body.decode()}")
            return 0
    # Long enough for one try, so that there is a reason to show.
    emitter.settle()
    return _show(emitter)


def _sent(emitter: Emitter) -> int:
    emitter.settle(SEND_S)
    return _show(emitter)


def _show(emitter: Emitter) -> int:
    status = emitter.status()
    print(
        f"{status.waiting} events wait ({status.waiting_bytes} bytes), {status.refused} are refused"
    )
    if status.waiting == 0:
        return 0
    if status.trouble is not None:
        print(status.trouble.reason)
    elif not status.is_sending:
        print("another process that has this outbox sends them, and its log says why they wait")
    return 1


if __name__ == "__main__":
    sys.exit(main())
