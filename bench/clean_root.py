"""Follows docs/deploy.md on an empty Debian, word for word: every block marked `sh`, in a root of its own.

    python -m bench.clean_root [FOLDER]

As root, with debootstrap. What needs a booted machine (`sh systemd`) is not followed: in its place the commands of the units are
started by hand, as their users. It ends with a signed-in page through nginx and its certificate.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from app.config import ROOT

DOC = ROOT / "docs" / "deploy.md"
LEFT_OUT = (".venv", ".git", "instance", "node_modules", "__pycache__", "vendor", "results")
SIGN_IN = r"""
set -eu
jar=$(mktemp)
curl() { command curl --silent --show-error --fail --cacert /etc/ssl/greenroom/fullchain.pem --cookie $jar --cookie-jar $jar \
    --resolve crm.example.com:443:127.0.0.1 "$@"; }
token=$(curl https://crm.example.com/login | sed -n 's/.*name="csrf_token"[^>]*value="\([^"]*\)".*/\1/p' | head -1)
curl --output /dev/null --data-urlencode "csrf_token=$token" --data-urlencode email=you@example.com \
    --data-urlencode "password=a long password" --referer https://crm.example.com/login https://crm.example.com/login
curl https://crm.example.com/system | grep --only-matching '<title>[^<]*'
curl https://crm.example.com/readyz
test "$(command curl --silent --insecure --output /dev/null --write-out '%{http_code}' \
    --resolve crm.example.com:443:127.0.0.1 https://crm.example.com/metrics)" = 404
"""


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="gr-root-"))
    began = time.monotonic()
    if not (folder / "etc").exists():
        subprocess.run(["debootstrap", "--variant=minbase", "bookworm", str(folder)], check=True)
    say(began, "an empty Debian")
    lend(folder)
    started: list[subprocess.Popen] = []
    try:
        for script in blocks():
            inside(folder, f"set -eux\n{script}")
        say(began, "every block was followed")
        started = [start(folder, command) for command in commands()]
        inside(folder, "service nginx start && apt-get install --yes --no-install-recommends curl >/dev/null")
        time.sleep(8)
        inside(folder, SIGN_IN)
        say(began, "signed in, through nginx")
    finally:
        for each in started:
            each.terminate()
        for name in ("nginx", "redis-server", "postgresql"):
            subprocess.run(["chroot", str(folder), "service", name, "stop"], check=False)
        for place in ("proc", "dev"):
            subprocess.run(["umount", "--lazy", str(folder / place)], check=False)
    return 0


def lend(folder: Path) -> None:
    """The code, and of this machine what a root without a network of its own needs: names, and where packages come from."""
    shutil.copytree(ROOT, folder / "opt/greenroom", ignore=shutil.ignore_patterns(*LEFT_OUT), dirs_exist_ok=True)
    for place in ("proc", "dev"):
        subprocess.run(["mount", "--rbind", f"/{place}", str(folder / place)], check=True)
    for name in ("etc/resolv.conf", "etc/hosts", "etc/pip.conf", "etc/ssl/certs/ca-certificates.crt"):
        if (Path("/") / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path("/") / name, folder / name)


def blocks() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", DOC.read_text(), re.M | re.S)


def commands() -> list[str]:
    """What the units start, one of each."""
    units = sorted((ROOT / "deploy" / "systemd").glob("greenroom-*.service"))
    found = [re.search(r"^ExecStart=(.*)$", unit.read_text(), re.M) for unit in units if "backup" not in unit.name]
    return [each[1] for each in found if each]


def inside(folder: Path, script: str) -> None:
    subprocess.run(["chroot", str(folder), "/bin/bash", "-c", script], check=True, env=environment())


def start(folder: Path, command: str) -> subprocess.Popen:
    return subprocess.Popen(["chroot", str(folder), "greenroom-run", *command.split()], env=environment())


def environment() -> dict[str, str]:
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"PATH": path, "DEBIAN_FRONTEND": "noninteractive", "LANG": "C.UTF-8", "HOME": "/root"}


def say(began: float, what: str) -> None:
    print(f"{time.monotonic() - began:6.0f} s  {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
