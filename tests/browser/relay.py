"""The line between a browser and the server, as a TCP relay that tests interrupt."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.serving import RunningServer


class Relay:
    """Passes connections on to a server, and interrupts them as networks do.

    Parameters
    ----------
    server
        Server behind the relay.
    """

    def __init__(self, server: RunningServer) -> None:
        self.lead_to(server)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setsockopt(
            socket.SOL_SOCKET, socket.SO_RCVBUF, 65536
        )  # what is under way is no more than on a line
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._is_cut = False
        self._open: set[socket.socket] = set()
        self._websockets: set[tuple[socket.socket, socket.socket]] = set()  # ends at the page and at the server
        self._silent: set[socket.socket] = set()
        self._slow: set[socket.socket] = set()
        self._may_pass = threading.Semaphore(0)
        threading.Thread(target=self._accept, daemon=True).start()

    def lead_to(self, server: RunningServer) -> None:
        """Pass new connections on to a server, such as one that was started again."""
        self._server = ("127.0.0.1", int(server.url.rpartition(":")[2]))

    def cut(self) -> None:
        """Close all connections, and refuse new ones."""
        self._is_cut = True
        for end in list(self._open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Accept new connections again."""
        self._is_cut = False

    def forget_websockets(self) -> None:
        """Pass nothing on any more over the websockets that are open now, without closing them; new ones work.

        So it is for a phone that slept: the network has forgotten its connections, and tells nobody.
        """
        self._silent |= {end for ends in self._websockets for end in ends}

    def lose_answers(self) -> None:
        """Pass nothing on any more to the page over the websockets that are open now; what it sends arrives."""
        self._silent |= {server for _, server in self._websockets}

    def slow_down(self) -> None:
        """Pass what the page sends over the websockets that are open now only by `pass_some`; new ones are fast."""
        self._slow |= {page for page, _ in self._websockets}

    def pass_some(self) -> None:
        """Pass the next 3 pieces of at most 64 kB on that a slow websocket sends."""
        self._may_pass.release(3)

    def close(self) -> None:
        """Close everything."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        self._may_pass.release(1_000)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._is_cut:
                    client.close()
                    continue
                server = socket.create_connection(self._server)
                self._open |= {client, server}
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=ends, daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if data.startswith(b"GET ") and b"Upgrade: websocket" in data:
                    self._websockets.add((source, target))
                if source in self._slow:
                    self._may_pass.acquire()
                if source not in self._silent:
                    target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
        source.close()
        self._open.discard(source)


@contextmanager
def relayed(server: RunningServer) -> Iterator[Relay]:
    """Yield a relay to a server."""
    relay = Relay(server)
    try:
        yield relay
    finally:
        relay.close()
