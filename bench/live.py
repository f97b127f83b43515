"""A message posted until everyone who watches has it: `python -m bench.live [--database sqlite|postgres|both] [--posts 60]`.

The product's web process, as gunicorn.conf.py runs it, on a real database and Valkey. 1, 100 and 500 sockets watch a
thread and the inbox beside it, as the page does. A program posts messages over HTTP; in turn with them another request
does nothing but emit an event of the same size into the same room, by the same way: the ratio is what the product's own
work costs. A time runs from just before the request to the event's arrival at each watcher.
"""

import argparse
import random
import time
from typing import Any

from bench.live_stage import Stage, a_stage
from bench.place import a_place, add_result, percentile
from bench.watchers import Watchers

WARM_UP = 10
SECONDS_TO_ALL = 30
SILENT_SECONDS = 10
Times = dict[str, list[float]]


def main() -> None:
    options = _options()
    databases = ("sqlite", "postgres") if options.database == "both" else (options.database,)
    results: list[dict[str, object]] = []
    for database in databases:
        with a_place(database) as place, a_stage(place, max(options.watchers)) as stage:
            for count in options.watchers:
                add_result("live", results, {"database": database} | _measure(stage, count, options.posts))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--posts", type=int, default=60)
    parser.add_argument("--watchers", type=int, nargs="+", default=[1, 100, 500])
    return parser.parse_args()


def _measure(stage: Stage, count: int, posts: int) -> dict[str, object]:
    before = stage.server_cpu()
    watchers = Watchers(stage.url, stage.cookie(), stage.rooms(), count)
    connecting = stage.server_cpu() - before
    began, took = _play(stage, watchers, posts)
    silent = stage.server_cpu()
    time.sleep(SILENT_SECONDS)
    silent = stage.server_cpu() - silent
    seen = watchers.stop()
    return {"watchers": count} | _figures(seen, began, took, count) | {
        "all live after (s, all at once)": round(watchers.live_after, 2),
        "server's CPU to let one in (ms)": round(1000 * connecting / count, 1),
        "server's CPU with all silent (cores)": round(silent / SILENT_SECONDS, 2),
    }  # fmt: skip


def _play(stage: Stage, watchers: Watchers, posts: int) -> tuple[dict[str, float], Times]:
    """When each request began, by key, and how long each kind took to be answered."""
    began: dict[str, float] = {}
    ways = {"message": stage.post, "emit": stage.emit, "unasked": stage.emit_unasked}
    took: Times = {kind: [] for kind in ways}
    dice = random.Random(posts)
    with stage.client() as client:
        for number in range(1, WARM_UP + posts + 1):
            for kind in dice.sample(list(ways), len(ways)):
                began_at = time.perf_counter()
                key = ways[kind](client, number)
                answered_at = time.perf_counter()
                if not watchers.wait_for_all(key, SECONDS_TO_ALL):
                    print(f"  {key} did not reach all", flush=True)
                if number > WARM_UP:
                    began[key] = began_at
                    took[kind].append(answered_at - began_at)
                time.sleep(dice.uniform(0.05, 0.15))
    return began, took


def _figures(seen: dict[str, Any], began: dict[str, float], took: Times, count: int) -> dict[str, object]:
    delays = {kind: _delays(kind, seen, began) for kind in took}
    found: dict[str, object] = {
        "seen": f"{len(delays['message'])} of {len(took['message']) * count}, twice {seen['twice']}"
    }
    names = {"unasked": "bare emit, open to all", "emit": "bare emit, signed in", "message": "message"}
    for kind, name in names.items():
        found |= {f"{name}: seen after, p50 / p95 (ms)": _pair(delays[kind])}
        found |= {f"{name}: answered after, p50 / p95 (ms)": _pair(took[kind])}
    for kind in ("emit", "unasked"):
        ratios = (percentile(delays["message"], each) / percentile(delays[kind], each) for each in (50, 95))
        found |= {f"message / {names[kind]}, p50 / p95": " / ".join(f"{ratio:.2f}" for ratio in ratios)}
    return found | {
        "asked again, after a gap": f"{seen['asked'].get('again', 0)}, {seen['asked'].get('gap', 0)}",
        "answer to asking, p50 / p95 (ms)": _pair(seen["answers"]),
        "came again, lost later": f"{seen['asked'].get('come again', 0)}, {seen['asked'].get('lost', 0)}",
        "watchers' own CPU per arrival (ms)": round(1000 * seen["cpu"] / sum(map(len, seen["arrivals"].values())), 3),
    }


def _delays(kind: str, seen: dict[str, Any], began: dict[str, float]) -> list[float]:
    keys = [key for key in began if key.startswith(kind)]
    return [at - began[key] for key in keys for at in seen["arrivals"].get(key, [])]


def _pair(seconds: list[float]) -> str:
    return " / ".join(f"{1000 * percentile(seconds, each):.1f}" for each in (50, 95))


if __name__ == "__main__":
    main()
