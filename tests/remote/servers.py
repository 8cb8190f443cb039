"""Real servers for the tests of the remotes: each on loopback and a free port, stopped by its process id."""
import contextlib
import datetime
import fcntl
import hashlib
import hmac
import http.client
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse
import uuid

import pytest


def needs(*programs):
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    for program in programs:
        if not shutil.which(program, path=path):
            pytest.skip(f"{program} is not installed; tools/setup.sh test does it")
    os.environ["PATH"] = path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nothing listens on port {port} after {seconds} s")


def stop(pid, seconds=10):
    """Ends one process that a test has started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if os.waitpid(pid, os.WNOHANG)[0] == pid:
                    return
            except ChildProcessError:  # a daemon: it is nobody's child
                if not os.path.exists(f"/proc/{pid}") or " Z " in pathlib.Path(f"/proc/{pid}/stat").read_text():
                    return
            time.sleep(0.05)


class Nginx:
    """WebDAV as people set it up: dav-ext for listings, and nothing that makes missing collections by itself."""

    def __init__(self, directory):
        needs("nginx")
        modules = pathlib.Path("/usr/lib/nginx/modules/ngx_http_dav_ext_module.so")
        if not modules.exists():
            pytest.skip("libnginx-mod-http-dav-ext is not installed; tools/setup.sh test does it")
        self.port, self.root = free_port(), directory / "root"
        self.root.mkdir(parents=True)
        (directory / "users").write_text("user:{PLAIN}pass word\n")
        config = directory / "nginx.conf"
        # As root it would serve as nobody, who may not write here.
        user = "user root;" if os.getuid() == 0 else ""
        place = f"root {self.root}; client_body_temp_path {directory}/body; client_max_body_size 1g; create_full_put_path off;\n" \
                "dav_methods PUT DELETE MKCOL; dav_ext_methods PROPFIND OPTIONS; dav_access user:rw;"
        config.write_text(f"""
            load_module {modules}; {user} daemon off; worker_processes 2; pid {directory}/pid; error_log {directory}/log;
            events {{ worker_connections 128; }}
            http {{
              access_log {directory}/access; types {{}} default_type application/octet-stream;
              server {{
                listen 127.0.0.1:{self.port};
                location / {{ {place} }}
                location /locked/ {{ auth_basic kache; auth_basic_user_file {directory}/users; {place} }}
                location /no-dav/ {{ root {self.root}; }}
              }}
            }}""")
        self.process = subprocess.Popen(["nginx", "-p", str(directory), "-c", str(config)], stderr=subprocess.PIPE)
        wait_for_port(self.port)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def close(self):
        stop(self.process.pid)


class _PlainHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def refused(self):
        wanted = self.server.token
        if self.server.fails_with:
            self.answer(self.server.fails_with)
            return True
        if wanted and self.headers.get("Authorization") != f"Bearer {wanted}":
            self.answer(401)
            return True
        return not self.server.knows(self) and (self.answer(400), True)[1]

    def do_GET(self):
        if self.refused():
            return
        with self.server.lock:
            body = self.server.objects.get(self.path)
        if body is None:
            return self.answer(404)
        self.answer(200, body, ETag=etag(body))

    do_HEAD = do_GET

    def do_PUT(self):
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) != length:  # the client went away
            self.close_connection = True
            return
        if self.refused():
            return
        self.server.on_put("arrived", self.path)
        with self.server.lock:
            now = self.server.objects.get(self.path)
            wanted = self.headers.get("If-Match")
            conflict = self.server.conditions and (
                self.headers.get("If-None-Match") == "*" and now is not None or wanted and (now is None or etag(now) != wanted))
            if not conflict:
                self.server.objects[self.path] = body
        self.server.on_put("refused" if conflict else "stored", self.path)
        self.answer(412 if conflict else 201)

    def do_DELETE(self):
        if self.refused():
            return
        if not self.server.deletes:
            return self.answer(405)
        with self.server.lock:
            self.answer(404 if self.server.objects.pop(self.path, None) is None else 204)


def etag(body):
    return '"%s"' % hashlib.md5(body).hexdigest()


class Plain(http.server.ThreadingHTTPServer):
    """What a build cache needs of HTTP and no more: PUT, GET, HEAD and DELETE of bytes."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, token="", conditions=True, deletes=True, bazel=False, handler=_PlainHandler):
        super().__init__(("127.0.0.1", 0), handler)
        self.objects, self.lock = {}, threading.Lock()
        self.fails_with = 0  # the status of every answer, while it is not 0
        self.on_put = lambda what, path: None  # for a test that wants to know, or to be in the way
        self.token, self.conditions, self.deletes, self.bazel = token, conditions, deletes, bazel
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def knows(self, request):
        """The plain HTTP cache of bazel-remote takes two folders and 64 digits, and checks what is in /cas/."""
        if not self.bazel:
            return True
        folder, _, name = request.path.rpartition("/")
        return folder in ("/ac", "/cas") and len(name) == 64 and set(name) <= set("0123456789abcdef") and folder != "/cas"

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def close(self):
        self.shutdown()
        self.server_close()


class _ExpiringHandler(_PlainHandler):
    def refused(self):
        if self.path == "/credentials":
            self.answer(200, json.dumps(self.server.new_credentials()).encode())
            return True
        why = self.server.problem(self.headers)
        if why:
            self.answer(400, f"<Error><Code>{why}</Code><Message>planned</Message></Error>".encode())
        return bool(why)


class ExpiringS3(Plain):
    """As much of S3 as the objects need, for credentials that soon expire; it gives out new ones at /credentials, as a container's host
    does. Signatures are not looked at: Ceph does that."""

    def __init__(self, requests=10**9, seconds=10**9, says_when=True):
        super().__init__(handler=_ExpiringHandler)
        self.requests, self.seconds, self.says_when = requests, seconds, says_when
        self.given = {}  # access key → (when, how often it was used)
        self.refusals = 0

    def new_credentials(self):
        with self.lock:
            key = f"KEY{len(self.given)}"
            self.given[key] = (time.time(), 0)
        end = time.time() + self.seconds if self.seconds < 10**9 else time.time() + 3600
        return {"AccessKeyId": key, "SecretAccessKey": "secret", "SessionToken": f"{key}-token", "Token": f"{key}-token",
                **({"Expiration": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end))} if self.says_when else {})} | {"Version": 1}

    def problem(self, headers):
        key = headers.get("Authorization", "").partition("Credential=")[2].partition("/")[0]
        with self.lock:
            if key not in self.given:
                return "InvalidAccessKeyId"
            when, used = self.given[key]
            self.given[key] = (when, used + 1)
            if headers.get("x-amz-security-token") != f"{key}-token":
                return "InvalidToken"
            is_over = used >= self.requests or time.time() > when + self.seconds
            self.refusals += is_over
            return "ExpiredToken" if is_over else ""


class Redis:
    """In memory only, on a port and on a socket."""

    def __init__(self, directory, *settings):
        needs("redis-server", "redis-cli")
        directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        # Its path is short: a socket takes 107 bytes, and pytest's directories are long.
        self.sockets = pathlib.Path("/tmp") / f"kache-redis-{os.getpid()}-{self.port}"
        self.sockets.mkdir(mode=0o700)
        self.socket = self.sockets / "redis.sock"
        self.process = subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--unixsocket", str(self.socket), "--dir", str(directory),
             "--save", "", "--appendonly", "no", *settings], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            wait_for_port(self.port)
        except BaseException:
            self.close()
            raise

    def url(self, rest="", login=""):
        return f"redis://{login}127.0.0.1:{self.port}{rest}"

    def ask(self, *words):
        done = subprocess.run(["redis-cli", "-p", str(self.port), *words], capture_output=True, text=True, timeout=60, check=True)
        return done.stdout.strip()

    def close(self):
        stop(self.process.pid)
        shutil.rmtree(self.sockets, ignore_errors=True)


class Authority:
    """Vouches for the hosts that it is asked to."""

    def __init__(self, directory, name):
        needs("openssl")
        directory.mkdir(parents=True, exist_ok=True)
        self.directory, self.certificate = directory, directory / f"{name}.pem"
        self._key = directory / f"{name}.key"
        self._openssl("req", "-x509", *self._new_key(self._key), "-days", "2", "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE",
                      "-out", self.certificate)

    @staticmethod
    def _new_key(path):
        return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)

    def certify(self, name, *hosts):
        """(certificate, key) of a server; hosts as "DNS:localhost" and "IP:127.0.0.1"."""
        certificate, key, asked, more = (self.directory / f"{name}.{end}" for end in ("crt", "key", "csr", "ext"))
        self._openssl("req", *self._new_key(key), "-subj", f"/CN={name}", "-out", asked)
        more.write_text(f"subjectAltName={','.join(hosts)}\n")
        self._openssl("x509", "-req", "-in", asked, "-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial", "-days", "2", "-extfile", more,
                      "-out", certificate)
        return certificate, key


class Gateway:
    """A process that speaks S3 before a Ceph cluster. In the foreground, so that a test may kill it and start it again."""

    def __init__(self, config, name, port, pid=None):
        self.config, self.name, self.port, self.pid = config, name, port, pid

    def start(self):
        self.pid = subprocess.Popen(["radosgw", "-c", str(self.config), "-n", f"client.{self.name}", "-f"], stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid
        wait_for_port(self.port, 120)

    def kill(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            stop(self.pid)
        self.pid = None


class Ceph:
    """A RADOS gateway with its monitor and one object store: S3 as large sites run it. In the clear and with TLS.

    What lies below the store is memory, unless it is asked for: one on a disk ("bluestore") takes ten times as long to start."""

    access_key, secret_key = "AK", "SK"
    SECURE = "secure-bucket"  # the one whose name as a host the certificate has

    @classmethod
    def of(cls, state):
        """One that runs already, by what state() said of it."""
        self = cls.__new__(cls)
        for name, value in state.items():
            setattr(self, name, pathlib.Path(value) if name in ("directory", "sockets", "config", "authority") else value)
        self.gateway = Gateway(self.config, "rgw", self.port, state["gateway"])
        return self

    def state(self):
        names = ("directory", "sockets", "config", "authority", "port", "tls_port", "monitor")
        return {name: getattr(self, name) if name.endswith(("port", "monitor")) else str(getattr(self, name)) for name in names} | {"gateway": self.gateway.pid}

    def __init__(self, directory, store="memstore"):
        needs("radosgw", "ceph-mon", "ceph-osd", "monmaptool", "ceph", "radosgw-admin")
        self.directory, self.port, self.tls_port, self.monitor = directory, free_port(), free_port(), free_port()
        authority = Authority(directory / "authority", "kache tests")
        certificate, key = authority.certify("gateway", "IP:127.0.0.1", "DNS:localhost", f"DNS:{self.SECURE}.localhost")
        self.authority = authority.certificate
        monitor = self.monitor
        for name in ("mon", "osd0", "log", "rgw"):
            (directory / name).mkdir(parents=True)
        # The sockets' paths are short: a socket takes 107 bytes, and pytest's directories are long.
        self.sockets = pathlib.Path(tempfile.mkdtemp(prefix="kache-ceph-", dir="/tmp"))
        fsid = str(uuid.uuid4())
        self.config = directory / "ceph.conf"
        self.config.write_text(f"""[global]
fsid={fsid}
mon_initial_members=a
mon_host=v1:127.0.0.1:{monitor}
auth_cluster_required=none
auth_service_required=none
auth_client_required=none
auth_allow_insecure_global_id_reclaim=true
ms_bind_msgr2=false
public_addr=127.0.0.1
cluster_addr=127.0.0.1
log_file={directory}/log/$name.log
pid_file={directory}/$name.pid
admin_socket={self.sockets}/$name.asok
run_dir={self.sockets}
osd_pool_default_size=1
osd_pool_default_min_size=1
osd_crush_chooseleaf_type=0
osd_objectstore={store}
memstore_device_bytes=2147483648
bluestore_block_size=4294967296
osd_memory_target=939524096
osd_pool_default_pg_num=1
osd_pool_default_pgp_num=1
mon_allow_pool_size_one=true
mon_max_pg_per_osd=1000
paxos_propose_interval=0.01
paxos_min_wait=0.01
osd_class_update_on_start=false
osd_crush_update_on_start=false
osd_client_watch_timeout=1
[mon.a]
mon_data={directory}/mon
[osd.0]
osd_data={directory}/osd0
[client.rgw]
rgw_frontends=beast endpoint=127.0.0.1:{self.port} ssl_endpoint=127.0.0.1:{self.tls_port} ssl_certificate={certificate} ssl_private_key={key}
rgw_data={directory}/rgw
rgw_dns_name=localhost
rgw_thread_pool_size=64
""")
        self.gateway = Gateway(self.config, "rgw", self.port)
        try:
            self.run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", f"[v1:127.0.0.1:{monitor}]", f"{directory}/monmap")
            self.run("ceph-mon", "-i", "a", "--mkfs", "--monmap", f"{directory}/monmap")
            self.run("ceph-mon", "-i", "a")
            osd = str(uuid.uuid4())
            self.patiently("ceph", "osd", "new", osd)
            self.patiently("ceph", "osd", "crush", "add", "osd.0", "1.0", "root=default", "host=here")
            self.run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
            self.start_store()
            self.run("radosgw-admin", "user", "create", "--uid=t", "--display-name=t", f"--access-key={self.access_key}",
                     f"--secret-key={self.secret_key}")
            self.gateway.start()
        except BaseException:
            self.close()
            raise

    def run(self, program, *arguments):
        done = subprocess.run([program, "-c", str(self.config), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, timeout=180, text=True)
        assert done.returncode == 0, f"{program}: {done.returncode}: {done.stdout[-2000:]}"
        return done.stdout

    def patiently(self, *command):
        """A monitor of Ceph 16 that has just been started may say no to what it takes a moment later ("wrong fsid", "EPERM"); and so may the
        store, which asks it, without a word."""
        for attempt in range(20):
            try:
                return self.run(*command)
            except AssertionError:
                if attempt == 19:
                    raise
                time.sleep(0.1)

    def start_store(self):
        return self.patiently("ceph-osd", "-i", "0")

    @contextlib.contextmanager
    def another_gateway(self):
        """One more before the same data, for a test that kills it."""
        port = free_port()
        name = f"rgw{port}"
        config = self.directory / f"{name}.conf"
        config.write_text(f"{self.config.read_text()}[client.{name}]\nrgw_frontends=beast endpoint=127.0.0.1:{port}\nrgw_data={self.directory}/rgw\n"
                          "rgw_dns_name=localhost\nrgw_thread_pool_size=16\n")
        gateway = Gateway(config, name, port)
        try:
            gateway.start()
            yield gateway
        finally:
            gateway.kill()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def env(self):
        return {"KACHE_S3_ACCESS_KEY": self.access_key, "KACHE_S3_SECRET_KEY": self.secret_key}

    def request(self, method, path, body=b""):
        """Signed by hand, so that it also proves something about the engine's own signature."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        path = urllib.parse.quote(urllib.parse.unquote(path), safe="/-._~")
        digest = hashlib.sha256(body).hexdigest()
        headers = {"host": f"127.0.0.1:{self.port}", "x-amz-content-sha256": digest, "x-amz-date": now}
        scope = f"{now[:8]}/us-east-1/s3/aws4_request"
        canonical = "\n".join([method, path, "", *(f"{name}:{value}" for name, value in headers.items()), "", ";".join(headers), digest])
        text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + self.secret_key).encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={self.access_key}/{scope}, SignedHeaders={';'.join(headers)}, " \
                                   f"Signature={hmac.digest(key, text.encode(), 'sha256').hex()}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        assert answer.status < 300, (method, path, answer.status, said)

    def make_bucket(self, name):
        self.request("PUT", f"/{name}")
        return name

    def put(self, bucket, key, body):
        self.request("PUT", f"/{bucket}/{key}", body)

    def url(self, bucket, prefix="", **options):
        query = "&".join(f"{name}={value}" for name, value in {"endpoint": self.endpoint, **options}.items())
        return f"s3://{bucket}/{prefix}?{query}"

    def close(self):
        self.gateway.kill()
        for file in ("osd.0.pid", "mon.a.pid"):
            path = self.directory / file
            if path.exists():
                stop(int(path.read_text()))
        shutil.rmtree(self.sockets, ignore_errors=True)
        shutil.rmtree(self.directory / "osd0", ignore_errors=True)  # gigabytes, though sparse


@contextlib.contextmanager
def shared_ceph(directory):
    """One for all processes of a test run: the first to come starts it, the last to go stops it."""
    directory.mkdir(parents=True, exist_ok=True)
    note = directory / "running"

    def change(by):
        with open(directory / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known = json.loads(note.read_text()) if note.exists() else {"users": 0, "started": 0}
            if known["users"] == 0:
                known["started"] += 1
                known["state"] = Ceph(directory / str(known["started"])).state()
            known["users"] += by
            if known["users"] == 0:
                Ceph.of(known["state"]).close()
            note.write_text(json.dumps(known))
            return Ceph.of(known["state"])

    running = change(+1)
    try:
        yield running
    finally:
        change(-1)
