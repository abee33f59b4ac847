"""Replays recorded exchanges in its own process with vcrpy; run by the Python that has it: ``RECORDED SECONDS``.

Writes a line of JSON whenever it is ready or has measured, and measures whenever it reads a line.
"""

import asyncio
import json
import random
import sys
import tempfile
import time

import aiohttp
import vcr


def interaction(exchange: dict[str, str]) -> dict[str, object]:
    """Return one exchange as vcrpy stores it."""
    form = {"Content-Type": ["application/x-www-form-urlencoded"]} if exchange["body"] else {}
    return {
        "request": {
            "method": exchange["method"],
            "uri": "http://chat.test" + exchange["target"],
            "body": exchange["body"] or None,
            "headers": form,
        },
        "response": {
            "status": {"code": exchange["status"], "message": "OK"},
            "headers": {"Content-Type": ["application/json"]},
            "body": {"string": exchange["answer"]},
        },
    }


async def measure(session: aiohttp.ClientSession, asked: list[dict[str, str]], seconds: float) -> dict[str, float]:
    """Ask for so many seconds, one request after another, and check each answer."""
    count, begun, cpu = 0, time.perf_counter(), time.process_time()
    while not count or time.perf_counter() - begun < seconds:
        one = random.choice(asked)
        url = "http://chat.test" + one["target"]
        async with session.request(one["method"], url, data=one["body"].encode() or None) as answer:
            text = await answer.text()
        if (answer.status, text) != (one["status"], one["answer"]):
            raise SystemExit(f"{answer.status} {text[:500]}")
        count += 1
    took = time.perf_counter() - begun
    return {"requests": count, "rate": count / took, "cpu": (time.process_time() - cpu) / count * 1e6}


async def main(asked: list[dict[str, str]], seconds: float) -> None:
    """Serve measures."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"version": 1, "interactions": [interaction(one) for one in asked]}, file)
        file.flush()
        begun = time.perf_counter()
        player = vcr.VCR(record_mode="none", serializer="json", match_on=["method", "uri", "body"])
        with player.use_cassette(file.name, allow_playback_repeats=True):
            async with aiohttp.ClientSession() as session:
                await measure(session, asked, 0.001)
                print(json.dumps({"start": time.perf_counter() - begun}), flush=True)
                for _ in sys.stdin:
                    print(json.dumps(await measure(session, asked, seconds)), flush=True)


with open(sys.argv[1], encoding="utf-8") as recorded:
    everything = [json.loads(line) for line in recorded]
asyncio.run(main(everything, float(sys.argv[2])))
