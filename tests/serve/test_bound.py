import errno
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from chatproxy.config.addresses import Listener, SocketFile
from chatproxy.config.values import Address
from chatproxy.serve.bound import bound

LOOPBACKS = {"127.0.0.1", "::1"}


@contextmanager
def listening(place: Listener) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        yield bound(stack, place)


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


@needs_ipv6
@pytest.mark.parametrize(("host", "hosts"), [("localhost", LOOPBACKS), ("", {"0.0.0.0", "::"})])
def test_both_families_have_one_port_be_it_free_or_fixed(host: str, hosts: set[str]) -> None:
    with listening(Address(host, 0)) as sockets:
        names = [one.getsockname()[:2] for one in sockets]
        (port,) = {port for _, port in names}
        assert {name for name, _ in names} == hosts
    with listening(Address(host, port)) as sockets:
        assert {one.getsockname()[:2] for one in sockets} == {(name, port) for name in hosts}
        for address in LOOPBACKS:
            socket.create_connection((address, port)).close()


@needs_ipv6
def test_a_free_port_that_the_other_family_has_taken_is_not_used() -> None:
    with ExitStack() as stack:
        for _ in range(300):  # so many ports that one of them is likely to be found free in the other family
            stack.enter_context(socket.create_server(("::1", 0), family=socket.AF_INET6))
        for _ in range(50):
            ports = {one.getsockname()[1] for one in bound(stack, Address("localhost", 0))}
            assert len(ports) == 1


@needs_ipv6
def test_a_fixed_port_that_one_family_has_taken_is_refused() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        with ExitStack() as stack, pytest.raises(OSError, match="in use") as caught:
            bound(stack, Address("localhost", taken.getsockname()[1]))
    assert caught.value.errno == errno.EADDRINUSE


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_an_address_that_is_not_this_machines_is_refused(host: str) -> None:
    with ExitStack() as stack, pytest.raises(OSError, match=r"^\[Errno") as caught:
        bound(stack, Address(host, 0))
    assert caught.value.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


def answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(os.fspath(path))
        except OSError:
            return False
        return True


def test_a_socket_in_the_file_system_is_its_owners_alone_and_goes_with_the_server(tmp_path: Path) -> None:
    path = tmp_path / "chat.sock"
    with listening(SocketFile(path)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert answers(path)
    assert not path.exists()


def test_a_socket_that_a_crash_left_is_replaced_and_one_in_use_is_not(tmp_path: Path) -> None:
    path = tmp_path / "chat.sock"
    with socket.socket(socket.AF_UNIX) as crashed:
        crashed.bind(os.fspath(path))
    assert path.is_socket()
    with listening(SocketFile(path)):
        assert answers(path)
        with ExitStack() as stack, pytest.raises(OSError, match="in use"):
            bound(stack, SocketFile(path))
        assert answers(path)


def test_what_is_no_socket_stays(tmp_path: Path) -> None:
    path = tmp_path / "chat.sock"
    path.write_text("mine")
    with ExitStack() as stack, pytest.raises(OSError, match="in use"):
        bound(stack, SocketFile(path))
    assert path.read_text() == "mine"


def test_a_socket_that_another_server_has_put_in_its_place_stays(tmp_path: Path) -> None:
    path = tmp_path / "chat.sock"
    with listening(SocketFile(path)):
        path.rename(tmp_path / "old.sock")
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(os.fspath(path))
            inode = path.stat().st_ino
    assert path.stat().st_ino == inode


def test_a_socket_that_is_gone_at_the_end_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "chat.sock"
    with listening(SocketFile(path)):
        path.unlink()
    assert not path.exists()
