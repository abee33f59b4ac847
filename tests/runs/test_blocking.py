import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from chatproxy.core.errors import NetworkBlockedError
from chatproxy.environment import THREADS
from chatproxy.runs.blocking import Blockade

OTHERS = ["192.0.2.1", "::ffff:192.0.2.1", "chat.twilio.com", b"a.twilio.com", "2001:db8::1%lo"]


@pytest.mark.parametrize("host", OTHERS)
def test_a_name_or_an_address_of_another_machine_is_refused(host: str | bytes) -> None:
    blockade = Blockade()
    with blockade.closed(), pytest.raises(NetworkBlockedError, match="is another machine"):
        socket.getaddrinfo(host, 80)
    assert blockade.refused() == [host.decode() if isinstance(host, bytes) else host]
    assert blockade.refused() == []


def test_a_connection_and_a_datagram_to_another_machine_are_refused() -> None:
    with Blockade().closed():
        with socket.socket() as stream, pytest.raises(NetworkBlockedError):
            stream.connect(("192.0.2.1", 80))
        with socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            with pytest.raises(NetworkBlockedError):
                datagrams.sendto(b"x", ("192.0.2.1", 80))
        with pytest.raises(NetworkBlockedError):
            socket.gethostbyname("chat.twilio.com")


def test_this_machine_is_reached(tmp_path: Path) -> None:
    with Blockade().closed(), socket.create_server(("127.0.0.1", 0)) as server:
        for host in ("127.0.0.1", "localhost"):
            socket.create_connection((host, server.getsockname()[1]), timeout=5).close()
        for name in ("::1", "::ffff:127.0.0.1", "0.0.0.0", None, "", socket.gethostname()):
            with suppress(socket.gaierror):
                socket.getaddrinfo(name, 80)
        with socket.socket(socket.AF_UNIX) as local, pytest.raises(FileNotFoundError):
            local.connect(str(tmp_path / "none"))


def test_threads_of_chatproxys_own_servers_may_go_out() -> None:
    caught: list[BaseException] = []

    def resolve() -> None:
        try:
            socket.getaddrinfo("name.invalid", 80)
        except OSError as error:
            caught.append(error)

    with Blockade().closed():
        thread = threading.Thread(target=resolve, name=f"{THREADS}_0")
        thread.start()
        thread.join()
    assert [type(error) for error in caught] == [socket.gaierror]


@pytest.mark.process
def test_an_open_blockade_refuses_nothing_and_other_events_are_none_of_its() -> None:
    Blockade()
    code = """
import socket
from chatproxy.runs.blocking import Blockade

with Blockade().closed():
    socket.socket().close()
    open("/dev/null").close()
"""
    subprocess.run([sys.executable, "-c", code], check=True)
