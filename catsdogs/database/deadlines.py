"""Deadlines of database calls, for a server that is silent: frozen, or behind a network that drops packets.

A server that works cancels a statement that takes too long (``statement_timeout``). One that is silent does not, and
the client would wait for ever: over a Unix socket, no time-out of TCP exists, and a frozen process does not break a
connection. So a thread of this module shuts the socket down when the time is over. The call then fails as if the
server had closed the connection.

While a connection is made, there is no socket yet: the look-up of the server's name has no time limit at all, and libpq
gives each of its addresses the whole time. So every connection is made in a thread of its own, which is not waited for
when the time is over.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from contextlib import contextmanager, suppress
from typing import Any

import psycopg2

MAX_CONNECTING = 64
"""Number of threads that may make a connection at the same time: those that hang must not become more and more."""

_CHECK_SECONDS = 0.05


class Deadline:
    """The time that one call may take, and the connection that it uses now."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._changing = threading.Lock()
        self._socket: socket.socket | None = None

    @property
    def has_passed(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self._end

    def shorten(self, seconds: float) -> None:
        """Let the time be over after `seconds` from now, unless it is sooner."""
        self._end = min(self._end, time.monotonic() + seconds)

    def watch(self, connection: Any) -> None:
        """Watch a connection of psycopg2, in place of the one before."""
        # a descriptor of our own: that of the connection may be closed, and reused by another file, at any time
        watched = socket.socket(fileno=os.dup(connection.fileno()))
        with self._changing:
            self._close()
            self._socket = watched

    def unwatch(self) -> None:
        """Watch no connection any more."""
        with self._changing:
            self._close()

    def enforce(self) -> None:
        """Shut the connection down if the time is over."""
        if self.has_passed:
            with self._changing:
                if self._socket is not None:
                    with suppress(OSError):  # it is closed already
                        self._socket.shutdown(socket.SHUT_RDWR)

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class Deadlines:
    """The deadlines of all calls that run now; threads may share one object."""

    def __init__(self) -> None:
        self._running: set[Deadline] = set()
        self._changed = threading.Condition()
        self._of_thread = threading.local()
        self._thread: threading.Thread | None = None
        self._may_connect = threading.BoundedSemaphore(MAX_CONNECTING)

    @contextmanager
    def within(self, seconds: float) -> Iterator[Deadline]:
        """Limit what this thread does in the ``with`` block, on the connections that it passes to :meth:`watch`."""
        deadline = Deadline(seconds)
        outer = getattr(self._of_thread, "deadline", None)
        with self._changed:
            self._running.add(deadline)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="catsdogs-deadlines", daemon=True)
                self._thread.start()
            self._changed.notify()
        self._of_thread.deadline = deadline
        try:
            yield deadline
        finally:
            self._of_thread.deadline = outer
            deadline.unwatch()
            with self._changed:
                self._running.discard(deadline)

    def connect(self, connect: Callable[[], Any], seconds: float) -> Any:
        """Make a connection of psycopg2; give up after `seconds`, or at the deadline of this thread.

        Raises
        ------
        psycopg2.OperationalError
        """
        end = time.monotonic() + seconds
        deadline = getattr(self._of_thread, "deadline", None)
        future: Future[Any] = Future()
        if self._may_connect.acquire(blocking=False):
            threading.Thread(target=self._connect, args=[future, connect], name="catsdogs-connect", daemon=True).start()
            while not future.done() and time.monotonic() < end and not (deadline and deadline.has_passed):
                wait_for([future], _CHECK_SECONDS)
        if future.cancel():
            raise psycopg2.OperationalError("timeout expired")  # as libpq says it
        return future.result()

    def _connect(self, future: Future[Any], connect: Callable[[], Any]) -> None:
        try:
            connection = connect()
        except BaseException as error:  # noqa: BLE001 (whoever waits for the connection gets it)
            if future.set_running_or_notify_cancel():
                future.set_exception(error)
        else:
            if future.set_running_or_notify_cancel():
                future.set_result(connection)
            else:
                connection.close()
        finally:
            self._may_connect.release()

    def watch(self, connection: Any, *_: object) -> None:
        """Have the deadline of this thread, if it has one, watch a connection of psycopg2."""
        if deadline := getattr(self._of_thread, "deadline", None):
            deadline.watch(connection)

    def unwatch(self, *_: object) -> None:
        """Have the deadline of this thread watch no connection any more."""
        if deadline := getattr(self._of_thread, "deadline", None):
            deadline.unwatch()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._running:
                    self._changed.wait()
                running = list(self._running)
            for deadline in running:
                deadline.enforce()
            time.sleep(_CHECK_SECONDS)
