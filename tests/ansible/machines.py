"""Machines to set up: Debian from its packages, booted with its own systemd and sshd in a network of their own.

The machines share one network namespace that leads nowhere: what a role installs lies in the base already (packages,
wheels), so that nothing is fetched and nothing reaches this machine's own services. Only root can do this.
"""

import fcntl
import hashlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PLAYBOOKS: Final = ROOT / "ansible"
CACHE: Final = ROOT / ".cache" / "ansible"
BIN: Final = Path(sys.executable).parent
SYSTEM: Final = "systemd,systemd-sysv,dbus,openssh-server,python3,python3-apt,iproute2,ca-certificates"
BOX_PACKAGES: Final = ("python3-venv", "python3-packaging", "chrony", "unattended-upgrades", "logrotate")
CENTRE_PACKAGES: Final = ("postgresql", "caddy", "sudo", "openssl", "prometheus", "prometheus-alertmanager")
BASE_SECONDS: Final = 400
BOOT_SECONDS: Final = 120
PLAY_SECONDS: Final = 900


def needed(program: str, package: str) -> str:
    """Return the path of a program, or skip with what to install."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed here (on Debian: apt install {package})")
    return found


def ansible(program: str) -> str:
    """Return the path of a program of Ansible, or skip."""
    if not (BIN / program).exists():
        pytest.skip("Ansible is not installed here: make .venv/ansible.stamp")
    return str(BIN / program)


def run(*command: str | Path, seconds: float = 180, **more: str) -> str:
    """Run a command that must succeed, and return what it printed; ``more`` is added to the environment."""
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, timeout=seconds,
        env={**os.environ, **more},
    )  # fmt: skip
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def base(*packages: str) -> Path:
    """Return the root of a minimal Debian 12 with sshd, and with these packages at hand but not installed; kept."""
    if os.geteuid() != 0:
        pytest.skip("only root can boot a machine of its own")
    make = needed("mmdebstrap", "mmdebstrap")
    needed("systemd-nspawn", "systemd-container")
    needed("ip", "iproute2")
    CACHE.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(" ".join((SYSTEM, *packages)).encode()).hexdigest()[:12]
    root, whole = CACHE / f"base-{name}", CACHE / f"base-{name}.complete"
    with (CACHE / "base.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            shutil.rmtree(root, ignore_errors=True)
            run(
                make, "--variant=minbase", f"--include={SYSTEM}", "--dpkgopt=force-unsafe-io", "bookworm", root,
                seconds=BASE_SECONDS,
            )  # fmt: skip
            run("chroot", root, "apt-get", "-qq", "update", seconds=BASE_SECONDS)
            download = ("apt-get", "-qq", "install", "--no-install-recommends", "--download-only", *packages)
            run("chroot", root, *download, seconds=BASE_SECONDS)
            whole.touch()
    return root


def wheel(folder: Path) -> Path:
    """Build the wheel of what stands here."""
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, seconds=120)
    (found,) = folder.glob("*.whl")
    return found


def wheels(built: Path, *extras: str) -> Path:
    """Return a tar file with the wheels of all that these extras need, without our own; kept."""
    pins = ROOT / "constraints.txt"
    name = hashlib.sha256(" ".join(extras).encode() + pins.read_bytes()).hexdigest()[:12]
    folder, tar = CACHE / f"wheels-{name}", CACHE / f"wheels-{name}.tar"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "wheels.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tar.exists():
            shutil.rmtree(folder, ignore_errors=True)
            wanted = f"{built}[{','.join(extras)}]"
            run(sys.executable, "-m", "pip", "download", "-q", "-c", pins, "-d", folder, wanted, seconds=BASE_SECONDS)
            half = tar.with_suffix(".half")
            run("tar", "-cf", half, "--exclude=kampungnet-*", "-C", folder, ".")
            half.rename(tar)
    return tar


@dataclass
class Network:
    """A network namespace, and the key with which its machines are entered."""

    name: str
    folder: Path
    sockets: Path
    """Of SSH; short, since a socket's path has room for 107 bytes, and a test's own folder may be longer."""
    machines: dict[str, "Machine"] = field(default_factory=dict)

    @property
    def key(self) -> Path:
        """The private half; only machines of this network know it."""
        return self.folder / "key"

    def inside(self, *command: str | Path) -> list[str]:
        """Return the command that runs another one in this network."""
        return ["ip", "netns", "exec", self.name, *(str(word) for word in command)]

    def has_a_way_out(self, gateway: str, address: str) -> None:
        """Give it a cable on which ``gateway`` is the way out of ``address``/24; what listens there answers.

        The gateway comes last: to an address of its own the kernel makes no way.
        """
        for words in (
            "link add wan type veth peer name wan-far", f"addr add {address}/24 dev wan", "link set wan up",
            "link set wan-far up", f"route add default via {gateway} dev wan", f"addr add {gateway}/32 dev lo",
        ):  # fmt: skip
            run(*self.inside("ip", *words.split()))

    @contextmanager
    def runs(self, *command: str | Path) -> Iterator["subprocess.Popen[bytes]"]:
        """Run a program within the network until the block ends."""
        process = subprocess.Popen(self.inside(*command), start_new_session=True)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)

    def play(self, inventory: Path, *arguments: str | Path) -> "Played":
        """Run ``site.yml`` from within the network."""
        settings = {
            "ANSIBLE_CONFIG": str(PLAYBOOKS / "ansible.cfg"), "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_NOCOLOR": "1", "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.sockets),
        }  # fmt: skip
        command = self.inside(ansible("ansible-playbook"), "-i", inventory, PLAYBOOKS / "site.yml", *arguments)
        began = time.monotonic()
        done = subprocess.run(
            command, cwd=PLAYBOOKS, env={**os.environ, **settings}, capture_output=True, text=True, check=False,
            timeout=PLAY_SECONDS,
        )  # fmt: skip
        return Played(done.returncode, done.stdout + done.stderr, time.monotonic() - began)


@dataclass(frozen=True)
class Played:
    """What a run of a playbook did."""

    code: int
    said: str
    seconds: float

    def counts(self, what: str) -> dict[str, int]:
        """Return a number of the recap (``changed``, ``failed``, …) by host."""
        recap = self.said.partition("PLAY RECAP")[2]
        return {host: int(n) for host, n in re.findall(rf"^(\S+) +: .*\b{what}=(\d+)", recap, re.MULTILINE)}

    def went_well(self) -> "Played":
        """Return itself, or fail with what it said."""
        assert self.code == 0, self.said[-6000:]
        assert self.counts("ok"), self.said[-6000:]
        return self


@dataclass
class Machine:
    """One machine; its disk can be read and written at ``root`` also while it is off."""

    network: Network
    name: str
    root: Path
    port: int
    console: Path
    process: "subprocess.Popen[bytes] | None" = None

    def boot(self, *, well: bool = True) -> None:
        """Switch it on, and wait until everything that starts with it has started, or (not ``well``) has failed."""
        with self.console.open("ab") as log:
            self.process = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", f"--machine={self.name}",
                 f"--directory={self.root}", f"--network-namespace-path=/run/netns/{self.network.name}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        _await(self, self.process, ("running",) if well else ("running", "degraded"))

    def shut_down(self) -> None:
        """Ask it to power off, as its own button would; what does not end is ended."""
        if self.process is not None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(40)
            self.lose_power()

    def lose_power(self) -> None:
        """End it, and everything on it, at once: its first process goes, and the kernel ends all others with it.

        Without it a machine would go on running when only the program ends that started it.
        """
        if self.process is not None:
            of = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
            for first in of.read_text().split() if of.exists() else ():
                with suppress(ProcessLookupError):  # it ended just now
                    os.kill(int(first), signal.SIGKILL)
            self.process.kill()
            self.process.wait(60)
            self.process = None

    def ask(self, command: str, user: str = "root") -> "subprocess.CompletedProcess[str]":
        """Run a command on it over SSH."""
        options = ("-o", f"UserKnownHostsFile={self.network.folder / 'known_hosts'}", "-o", "LogLevel=ERROR")
        line = self.network.inside(
            "ssh", "-i", self.network.key, "-p", str(self.port), "-o", "BatchMode=yes", *options, f"{user}@127.0.0.1"
        )
        return subprocess.run([*line, command], capture_output=True, text=True, check=False, timeout=120)

    def say(self, command: str) -> str:
        """Run a command on it that must succeed, and return what it printed."""
        done = self.ask(command)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def inventory(self) -> dict[str, object]:
        """Return how Ansible reaches it."""
        return {
            "ansible_host": "127.0.0.1", "ansible_port": self.port, "ansible_user": "root",
            "ansible_ssh_private_key_file": str(self.network.key),
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={self.network.folder / 'known_hosts'}",
        }  # fmt: skip


@contextmanager
def network(folder: Path) -> Iterator[Network]:
    """Make a network namespace with a loopback and nothing else."""
    with TemporaryDirectory(prefix="kn-", dir="/tmp", ignore_cleanup_errors=True) as sockets:
        made = Network(f"kn-{secrets.token_hex(4)}", folder, Path(sockets))
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", made.key)
        run("ip", "netns", "add", made.name)
        try:
            run(*made.inside("ip", "link", "set", "lo", "up"))
            yield made
        finally:
            run("ip", "netns", "del", made.name)


@contextmanager
def machine(where: Network, name: str, below: Path, port: int = 22, *, off: bool = False) -> Iterator[Machine]:
    """Boot a machine over a base that stays as it is (``off``: only its disk); shut down and forgotten at the end."""
    folder = where.folder / name
    for part in ("changes", "work", "root"):
        (folder / part).mkdir(parents=True)
    root = folder / "root"
    with ExitStack() as stack:
        layers = f"lowerdir={below},upperdir={folder / 'changes'},workdir={folder / 'work'}"
        run("mount", "-t", "overlay", "overlay", "-o", layers, root)
        stack.callback(run, "umount", "--lazy", root)
        _furnish(where, name, root, port)
        made = Machine(where, name, root, port, folder / "console")
        stack.callback(made.shut_down)
        if not off:
            made.boot()
        where.machines[name] = made
        yield made


def _furnish(where: Network, name: str, root: Path, port: int) -> None:
    keys = root / "root" / ".ssh"
    keys.mkdir(mode=0o700, exist_ok=True)
    shutil.copy(where.key.with_suffix(".pub"), keys / "authorized_keys")
    (root / "etc/hostname").write_text(f"{name}\n")
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost {name} kampungnet.test boxes.kampungnet.test\n")
    (root / "etc/ssh/sshd_config.d/port.conf").write_text(f"Port {port}\n")
    for kind in root.glob("etc/ssh/ssh_host_*"):
        kind.unlink()
    run("ssh-keygen", "-A", "-f", root)
    host = (root / "etc/ssh/ssh_host_ed25519_key.pub").read_text().split()
    with (where.folder / "known_hosts").open("a") as known:
        known.write(f"{'127.0.0.1' if port == 22 else f'[127.0.0.1]:{port}'} {host[0]} {host[1]}\n")
    # The lists are as old as the base; there is no network to ask for newer ones.
    periodic = root / "var/lib/apt/periodic"
    periodic.mkdir(exist_ok=True)
    for stamp in (periodic / "update-success-stamp", root / "var/lib/apt/lists"):
        stamp.touch()


def _await(made: Machine, process: "subprocess.Popen[bytes]", fine: Sequence[str]) -> None:
    until = time.monotonic() + BOOT_SECONDS
    state = ""
    while time.monotonic() < until:
        assert process.poll() is None, made.console.read_text(errors="replace")[-3000:]
        done = made.ask("systemctl is-system-running --wait")
        state = done.stdout.strip() or done.stderr
        if state in fine:
            return
        time.sleep(0.5)
    failed = made.ask("systemctl --failed --no-legend").stdout
    raise AssertionError(f"{made.name} did not come up ({state}): {failed}")


def changed(runs: Sequence[Played]) -> list[dict[str, int]]:
    """Return what each run changed, by host."""
    return [one.counts("changed") for one in runs]
