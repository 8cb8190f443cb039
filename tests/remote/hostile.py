"""A server that misbehaves on purpose. It speaks just enough HTTP to be believed."""
import socket
import struct
import threading
import time


def head(status, length=None, *lines):
    fields = ([f"Content-Length: {length}"] if length is not None else []) + list(lines)
    return ("\r\n".join([f"HTTP/1.1 {status} x", *fields, "", ""])).encode()


def answer(status, body=b"", *lines):
    return head(status, len(body), *lines) + body


class Hostile:
    """`behave(connection, number, request)` answers one request: `number` counts them, `request` is its header as text."""

    def __init__(self, behave, drains=True, tls=None):
        self.behave, self.drains, self.tls, self.requests = behave, drains, tls, []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.is_open = True
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def host(self):
        return "127.0.0.1:%d" % self.listener.getsockname()[1]

    @property
    def url(self):
        return f"http://{self.host}/cache"

    def accept(self):
        while self.is_open:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            try:
                if self.tls:
                    connection = self.tls.wrap_socket(connection, server_side=True)
                while True:
                    request, rest = self.read_head(connection)
                    if request is None:
                        return
                    self.requests.append(request)
                    if self.drains:
                        self.drain(connection, request, rest)
                    self.behave(connection, len(self.requests), request)
            except OSError:
                pass  # the client had enough

    def read_head(self, connection):
        data = b""
        while b"\r\n\r\n" not in data:
            part = connection.recv(65536)
            if not part:
                return None, b""
            data += part
        request, _, rest = data.partition(b"\r\n\r\n")
        return request.decode("latin-1"), rest

    def drain(self, connection, request, rest):
        lower = request.lower()
        left = int(lower.split("content-length:")[1].split()[0]) if "content-length:" in lower else 0
        if "expect: 100-continue" in lower:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        left -= len(rest)
        while left > 0:
            part = connection.recv(65536)
            if not part:
                return
            left -= len(part)

    def close(self):
        self.is_open = False
        try:
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes accept(), which would keep the port
        except OSError:
            pass
        self.listener.close()


def silent(connection, number, request):
    while connection.recv(1):
        pass


def drip(connection, number, request):
    for byte in answer(200, b"x" * 1000):
        connection.sendall(bytes([byte]))
        time.sleep(1)


def drip_body(connection, number, request):
    connection.sendall(head(200, 1000))
    while True:
        connection.sendall(b"x")
        time.sleep(0.2)


def reset(connection, number, request):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    raise OSError


def reset_in_body(connection, number, request):
    connection.sendall(head(200, 1000) + b"x" * 10)
    time.sleep(0.1)
    reset(connection, number, request)


def too_short(connection, number, request):
    connection.sendall(head(200, 1000) + b"x" * 999)
    connection.close()
    raise OSError


def too_long(connection, number, request):
    connection.sendall(head(200, 10) + b"x" * 1000)
    connection.close()
    raise OSError


def endless(connection, number, request):
    connection.sendall(head(200, None, "Connection: close"))
    while True:
        connection.sendall(b"x" * 65536)


def endless_chunks(connection, number, request):
    connection.sendall(head(200, None, "Transfer-Encoding: chunked"))
    while True:
        connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")


def endless_header(connection, number, request):
    connection.sendall(b"HTTP/1.1 200 x\r\n")
    while True:
        connection.sendall(b"".join(b"X-%d: %s\r\n" % (i, b"y" * 1000) for i in range(64)))


def endless_error(connection, number, request):
    connection.sendall(head(500, None, "Connection: close"))
    while True:
        connection.sendall(b"x" * 65536)


def endless_continue(connection, number, request):
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


def not_http(connection, number, request):
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n" * 100)
    connection.close()
    raise OSError


def loop(connection, number, request):
    connection.sendall(head(302, 0, "Location: /again"))


def status(code, *lines, body=b"<html>\x1b[31mno</html>"):
    def behave(connection, number, request):
        connection.sendall(answer(code, b"" if request.startswith("HEAD") else body, *lines))

    return behave


def page(keys, token=None, encoding=True):
    """One page of an S3 listing. `keys` stand in it as they are."""
    contents = "".join(f"<Contents><Key>{key}</Key><Size>5</Size><LastModified>2026-08-22T10:11:12.000Z</LastModified></Contents>" for key in keys)
    more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>" if token else "<IsTruncated>false</IsTruncated>"
    url = "<EncodingType>url</EncodingType>" if encoding else ""
    return f'<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{url}{contents}{more}</ListBucketResult>'.encode()


def pages(make):
    """`make(number)` is the body of the number-th listing."""

    def behave(connection, number, request):
        connection.sendall(answer(200, make(number)))

    return behave


def multistatus(*responses):
    def behave(connection, number, request):
        connection.sendall(answer(207, ('<?xml version="1.0"?><D:multistatus xmlns:D="DAV:">' + "".join(responses) + "</D:multistatus>").encode()))

    return behave


def dav(href, collection=False, size=5):
    kind = "<D:resourcetype><D:collection/></D:resourcetype>" if collection else f"<D:resourcetype/><D:getcontentlength>{size}</D:getcontentlength>"
    return f"<D:response><D:href>{href}</D:href><D:propstat><D:prop>{kind}</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
