"""A real HTTP server on loopback, whose answers a test writes."""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Service:
    """Answers each request by ``reply(service, request)``: a status and what to say.

    What is said is made JSON unless it is bytes; a third entry holds headers. A reply may also do
    with the connection what it likes, through ``request.handler``, and return None.
    """

    def __init__(self, reply):
        self.reply = reply
        self.requests = []
        self._clients = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def connections(self):
        return len(self._clients)

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(service):  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                service._clients.append(self.client_address)  # safe in threads, unlike +=

            def do_POST(self):
                request = Request(self)
                service.requests.append(request)
                answer = service.reply(service, request)
                if answer is None:
                    return
                status, content, *headers = answer
                if not isinstance(content, bytes):
                    content = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                for name, value in headers[0].items() if headers else ():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_PUT = do_DELETE = do_POST  # noqa: N815

            def log_message(self, *_):
                pass

            def handle(self):
                with contextlib.suppress(ConnectionError):  # the client has gone
                    super().handle()

        return Handler


class Request:
    """What one request asked."""

    def __init__(self, handler):
        self.handler = handler
        self.method, self.path = handler.command, handler.path
        self.headers = dict(handler.headers.items())
        self.body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))

    @property
    def json(self):
        return json.loads(self.body)
