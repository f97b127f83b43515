"""python -m sandbox --port 8001 --fans examples/fans.csv --state instance/sandbox.jsonl --autoplay"""

import argparse
import signal
import threading
from pathlib import Path

from sandbox.autoplay import Autoplay
from sandbox.server import Server
from sandbox.world import World

STOP = {signal.SIGTERM, signal.SIGINT}


def main() -> None:
    options = _options()
    # Blocked before the first thread exists, so that they are taken here and never in the middle of a lock.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP)
    world = World(options.fans, options.state)
    world.autoplay = options.autoplay
    server = Server(options.port, world)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    Autoplay(world).start()
    print(f"The sandbox platform listens at http://127.0.0.1:{server.server_port}", flush=True)
    signal.sigwait(STOP)
    world.stopping.set()
    server.shutdown()
    server.server_close()
    world.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A stand-in for OnlyFansAPI, on loopback.")
    parser.add_argument("--port", type=int, default=8001, help="0 takes a free one and prints it (default: 8001)")
    parser.add_argument("--fans", type=Path, help="CSV with the fans of acct_demo")
    parser.add_argument("--state", type=Path, help="file that remembers chats, keys and webhooks across restarts")
    parser.add_argument("--autoplay", action="store_true", help="fans of acct_demo write by themselves")
    return parser.parse_args()


if __name__ == "__main__":
    main()
