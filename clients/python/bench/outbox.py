"""How many events a second are durable in an outbox, beside what the disk itself can do:
`python bench/outbox.py [FOLDER]`. Nothing is sent: the address is a closed port."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from exosphere_alerts import Emitter, Event

SECONDS = 3.0
DATA = {"graph_name": "nightly-etl", "run_id": "5f0c1f5e", "status": "FAILED", "text": "x" * 700}
"""Some 1,000 bytes with the attributes."""


def per_second(name: str, step: Callable[[], int]) -> None:
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < SECONDS:
        done += step()
    print(f"{done / (time.perf_counter() - began):10,.0f}/s  {name}")


def main(folder: Path) -> None:
    with (folder / "bare").open("wb", buffering=0) as file:

        def bare() -> int:
            file.write(b"x" * 1024)
            os.fsync(file.fileno())
            return 1

        per_second("bare writes of 1 KiB, each with fsync", bare)

    def emitter(name: str) -> Emitter:
        return Emitter(
            "http://127.0.0.1:9",
            "exo_key",
            outbox=folder / name,
            max_events=10**7,
            max_bytes=10**10,
        )

    with emitter("one") as one:

        def emit() -> int:
            one.emit("workflow.failed", DATA)
            return 1

        per_second("emit, one thread", emit)
    with emitter("threads") as shared:

        def threads() -> int:
            def emit() -> None:
                for _ in range(50):
                    shared.emit("workflow.failed", DATA)

            running = [threading.Thread(target=emit) for _ in range(16)]
            for thread in running:
                thread.start()
            for thread in running:
                thread.join()
            return 16 * 50

        per_second("emit, sixteen threads", threads)
    with emitter("coroutines") as together:

        def coroutines() -> int:
            async def emit() -> None:
                await asyncio.gather(*(together.aemit("t", DATA) for _ in range(1000)))

            asyncio.run(emit())
            return 1000

        per_second("aemit, a thousand coroutines", coroutines)
    with emitter("many") as many:

        def at_once() -> int:
            many.emit_events([Event("workflow.failed", DATA)] * 1000)
            return 1000

        per_second("emit_events, a thousand at once", at_once)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else ".") as made:
        main(Path(made))
