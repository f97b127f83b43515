"""`python -m app`: the whole of Greenroom on one machine, from one command.

Starts an embedded Valkey unless REDIS_URL names one, brings the database up to date, and then keeps every process of
the Procfile running: one that dies is started again. Ctrl-C stops all of it, in order. A launcher that was killed
leaves a list behind, by which the next one clears up.
"""

import os
import secrets
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from app.config import BadSetting, read_settings
from app.launcher import demo, valkey
from app.launcher.processes import AlreadyRunning, Processes, is_port_free


def main() -> int:
    try:
        settings = read_settings(os.environ)
    except BadSetting as error:
        print(f"Greenroom cannot start. {error}", file=sys.stderr)
        return 2
    instance: Path = settings["INSTANCE"]
    os.environ["GREENROOM_INSTANCE"] = str(instance)
    os.environ["PORT"], os.environ["SANDBOX_PORT"] = str(settings["PORT"]), str(settings["SANDBOX_PORT"])
    os.environ.setdefault("GREENROOM_RUN", secrets.token_hex(8))
    os.environ["TZ"] = "UTC"
    if not settings["PRODUCTION"]:
        os.environ["GREENROOM_DEMO"] = "1"
    try:
        with Processes(instance) as processes:
            return _run(processes, settings, instance)
    except AlreadyRunning as error:
        print(error, file=sys.stderr)
        return 1


def _run(processes: Processes, settings: dict, instance: Path) -> int:
    stop = threading.Event()

    def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, ask_to_stop)
    signal.signal(signal.SIGTERM, ask_to_stop)
    processes.clear_leftovers()
    for name in ("PORT", "SANDBOX_PORT"):
        if not is_port_free(settings[name]):
            print(f"Greenroom cannot start. Port {settings[name]} is taken: set {name} to another.", file=sys.stderr)
            return 1
    embedded = None if os.environ.get("REDIS_URL") else valkey.start(instance)
    try:
        _open(processes, settings, stop)
        processes.watch(stop, also=embedded)
    finally:
        print("Stopping …", flush=True)
        processes.stop()
        if embedded:
            embedded.stop()
    print("Stopped.", flush=True)
    return 0


def _open(processes: Processes, settings: dict, stop: threading.Event) -> None:
    _migrate()
    local = not settings["PRODUCTION"]
    names = [name for name in processes.commands() if local or name != "sandbox"]
    if "sandbox" in names:
        processes.start("sandbox")
    is_new = local and demo.prepare(settings)
    for name in names:
        processes.start(name)
    address = f"http://127.0.0.1:{settings['PORT']}"
    if not processes.wait_until_answers(f"{address}/healthz", stop):
        return
    print(f"\n  Greenroom is at {address}")
    if local:
        print(f"  Demo sign-in: {demo.EMAIL}  {demo.PASSWORD}")
    print("  Ctrl-C stops it.\n", flush=True)
    if is_new:
        threading.Thread(target=demo.enliven, args=(settings,), daemon=True).start()


def _migrate() -> None:
    from flask_migrate import upgrade

    from app import create_app

    with create_app().app_context():
        upgrade()


if __name__ == "__main__":
    sys.exit(main())
