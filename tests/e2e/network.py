"""Machines that are more than two directories: each has a network of its own, a user of its own and a home of its own, and its
toolchain at a place of its own. What listens here is reached over a wire of theirs."""
import contextlib
import ctypes
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import pytest

from laboratory import BUILD, TOOLCHAIN

HUB = "10.77.0.1"
FIRST_USER = 64123  # nobody has them, and nobody needs an entry for them
CLONE_NEWNET = 0x40000000


def enter_network(pid):
    """This thread, from here on."""
    with open(f"/proc/{pid}/ns/net") as place:
        if ctypes.CDLL(None, use_errno=True).setns(place.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")


class Wire:
    """Brings what comes to a port of the hub to one of this machine, some time later; and counts the requests of each side."""

    def __init__(self, hub, target, delay_s):
        self.target, self.delay_s, self.requests = target, delay_s, {}
        self.on_request = lambda host, count: None

        def listen():
            enter_network(hub)
            self.listener = socket.create_server(("0.0.0.0", 0), backlog=128)

        thread = threading.Thread(target=listen)
        thread.start()
        thread.join()
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, (host, _) = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                near.close()
                continue
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.pump, args=(near, far, host), daemon=True).start()
            threading.Thread(target=self.pump, args=(far, near, None), daemon=True).start()

    def pump(self, source, sink, host):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if host and data.split(b" ", 1)[0] in (b"GET", b"PUT", b"HEAD", b"DELETE"):
                    self.requests[host] = self.requests.get(host, 0) + 1
                    self.on_request(host, self.requests[host])
                    time.sleep(self.delay_s)
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Network:
    """A hub, and machines around it."""

    def __init__(self):
        if os.getuid() != 0:
            pytest.skip("needs root: users and networks of their own")
        if os.stat("/dev/null").st_mode & 0o006 != 0o006:
            pytest.skip("somebody has taken /dev/null from the others: chmod 666 /dev/null")
        for program in ("ip", "nsenter", "setpriv", "unshare"):
            if not shutil.which(program):
                pytest.skip(f"{program} is not installed; tools/setup.sh test does it")
        self.holders, self.wires = [], []
        # Others may go through it, as they may not through pytest's.
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="kache-net-", dir="/tmp"))
        self.base.chmod(0o755)
        try:
            self.hub = self.hold()
            self.ip(self.hub, "addr", "add", f"{HUB}/32", "dev", "lo")
        except BaseException:
            self.close()
            raise

    def hold(self, *more):
        """A process that does nothing but have a network."""
        holder = subprocess.Popen(["unshare", "--net", *more, "sh", "-c", "ip link set lo up && echo ready && exec sleep 3600"], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
        self.holders.append(holder)
        if holder.stdout.readline() != "ready\n":
            pytest.skip(f"no network namespaces here: {holder.stderr.read().strip()}")
        return holder.pid

    def ip(self, pid, *words):
        done = subprocess.run(["nsenter", "-t", str(pid), "-n", "ip", *words], capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"ip {' '.join(words)}: {done.stderr.strip()}")

    def machine(self, name):
        number = len(self.holders)
        pid = self.hold("--mount", "--propagation", "private")
        self.ip(self.hub, "link", "add", f"to-{number}", "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        self.ip(self.hub, "addr", "add", f"10.77.{number}.1/24", "dev", f"to-{number}")
        self.ip(self.hub, "link", "set", f"to-{number}", "up")
        self.ip(pid, "addr", "add", f"10.77.{number}.2/24", "dev", "eth0")
        self.ip(pid, "link", "set", "eth0", "up")
        self.ip(pid, "route", "add", "default", "via", f"10.77.{number}.1")
        return Computer(self.base / name, pid, FIRST_USER + number, f"10.77.{number}.2")

    def wire(self, target, delay_s=0.0):
        self.wires.append(Wire(self.hub, target, delay_s))
        return self.wires[-1]

    def close(self):
        for wire in self.wires:
            wire.close()
        for holder in self.holders:
            holder.kill()
            holder.wait()
        shutil.rmtree(self.base, ignore_errors=True)


class Computer:
    def __init__(self, root, pid, user, address):
        self.root, self.user, self.address = root, user, address
        self.home, self.cache, self.rust, self.build = root / "home", root / "home/.cache/kache", root / "rust", root / "kache"
        for directory in (root, self.home, self.rust, self.build):
            directory.mkdir()
        self.give(root, self.home)
        self.inside = ["nsenter", "-t", str(pid), "-n", "-m"]
        # Where they are, another user may not look.
        for source, target in ((TOOLCHAIN.parent, self.rust), (BUILD.resolve(), self.build)):
            done = subprocess.run([*self.inside, "mount", "--bind", source, target], capture_output=True, text=True)
            if done.returncode != 0:
                pytest.skip(f"mount --bind: {done.stderr.strip()}")
        self.kache = self.build / "bin/kache"
        self.extra_env = {}

    def give(self, *paths):
        for path in paths:
            os.chown(path, self.user, self.user)

    def give_tree(self, tree):
        for path in (tree, *tree.rglob("*")):
            self.give(path)
        return tree

    def env(self, **extra):
        return {"PATH": f"{self.rust}/bin:/usr/bin:/bin", "HOME": str(self.home), "LANG": "C.UTF-8", "RUSTC_WRAPPER": str(self.kache), "CARGO_INCREMENTAL": "0",
                "CARGO_BUILD_JOBS": "1", "KACHE_DAEMON_IDLE_TIMEOUT": "600", **self.extra_env, **extra}

    def run(self, cwd, *command, **env):
        return subprocess.run([*self.inside, "setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "env", "-C", cwd, *command],
                              env=self.env(**env), capture_output=True, timeout=120)
