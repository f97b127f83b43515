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
from typing import Any

from app.config import DEMO, BadSetting, read_settings
from app.launcher import schema, valkey
from app.launcher.processes import AlreadyRunning, Processes, is_port_free, say
from app.launcher.schema import DatabaseAway


def main() -> int:
    try:
        settings = read_settings(os.environ)
        _check_ports(settings)
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
        with Processes(instance, settings["SENDERS"]) as processes:
            return _run(processes, settings, instance)
    except AlreadyRunning as error:
        print(error, file=sys.stderr)
        return 1


def _check_ports(settings: dict[str, Any]) -> None:
    for name in ("PORT", "SANDBOX_PORT"):
        if settings[name] > 65535:
            raise BadSetting(f"{name} must be at most 65535, not {settings[name]}.")
    if settings["PORT"] == settings["SANDBOX_PORT"]:
        raise BadSetting("PORT and SANDBOX_PORT must differ.")


def _run(processes: Processes, settings: dict[str, Any], instance: Path) -> int:
    stop = _listen_for_stop()
    processes.clear_leftovers()
    for name in ("PORT", "SANDBOX_PORT"):
        if not is_port_free(settings[name]):
            print(f"Greenroom cannot start. Port {settings[name]} is taken: set {name} to another.", file=sys.stderr)
            return 1
    embedded = None if os.environ.get("REDIS_URL") else valkey.start(instance)
    try:
        _open(processes, settings, stop)
        processes.watch(stop, also=embedded)
    except DatabaseAway as error:
        print(f"Greenroom cannot start. The database (DATABASE_URL) does not answer: {error}", file=sys.stderr)
        return 1
    finally:
        say("Stopping …")
        processes.stop()
        if embedded:
            embedded.stop()
        say("Stopped.")
    return 0


def _listen_for_stop() -> threading.Event:
    stop = threading.Event()

    def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
        # Not set here: the main thread may be inside this very event, holding its lock.
        threading.Thread(target=stop.set).start()

    signal.signal(signal.SIGINT, ask_to_stop)
    signal.signal(signal.SIGTERM, ask_to_stop)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as nohup has it
        signal.signal(signal.SIGHUP, ask_to_stop)
    return stop


def _open(processes: Processes, settings: dict[str, Any], stop: threading.Event) -> None:
    local = not settings["PRODUCTION"]
    names = [name for name in processes.commands() if local or name != "sandbox"]
    if local:
        processes.start("sandbox")
    # Web by itself first: on few cores the others would only delay the first page.
    is_current = schema.is_current(settings["SQLALCHEMY_DATABASE_URI"])
    if is_current:
        processes.start("web")
    # Imported late: it brings the whole application along, while the web process is already starting.
    from app.launcher.preparing import Preparing

    preparing = Preparing(settings)
    if not is_current:
        preparing.migrate()
    is_new = local and preparing.make_demo()
    processes.start("web")
    address = f"http://127.0.0.1:{settings['PORT']}"
    is_up = processes.wait_until_answers("web", f"{address}/healthz", stop)
    if stop.is_set():
        return
    for name in names:
        processes.start(name)
    if is_up:
        _welcome(address, local)
    if local:
        preparing.wake_demo(is_new)


def _welcome(address: str, local: bool) -> None:
    say(f"\n  Greenroom is at {address}")
    if local:
        say(f"  Demo sign-in: {DEMO['email']}  {DEMO['password']}")
    say("  Ctrl-C stops it.\n")


if __name__ == "__main__":
    sys.exit(main())
