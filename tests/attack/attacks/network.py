"""Attacks on the network layer: a socket of any family would be a way out."""

from __future__ import annotations

import socket
import struct

from . import answers
from .raw import call

_kept: list[socket.socket] = []


def tcp() -> object:
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM)


def udp() -> object:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def tcp_version_6() -> object:
    return socket.socket(socket.AF_INET6, socket.SOCK_STREAM)


def raw_packets() -> object:
    return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)


def link_layer() -> object:
    return socket.socket(socket.AF_PACKET, socket.SOCK_RAW)


def unix_stream() -> object:
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)


def unix_abstract() -> object:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind("\0sandulieu-attack")
    return listener


def unix_pair() -> object:
    return socket.socketpair()


def netlink_route() -> object:
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)


def host_of_the_virtual_machine() -> object:
    return socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)


def kernel_crypto() -> object:
    return socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)


def multipath_tcp() -> object:
    return call("socket", socket.AF_INET, socket.SOCK_STREAM, 262)


def express_data_path() -> object:
    return call("socket", 44, socket.SOCK_RAW, 0)


def bluetooth() -> object:
    return socket.socket(31, socket.SOCK_RAW, 1)


def other_cluster_nodes() -> object:
    return socket.socket(30, socket.SOCK_SEQPACKET)


def remote_procedures() -> object:
    return socket.socket(33, socket.SOCK_DGRAM)


def shared_memory_sockets() -> object:
    return socket.socket(43, socket.SOCK_STREAM)


def car_bus() -> object:
    return socket.socket(29, socket.SOCK_RAW, 1)


def send_to_a_name() -> object:
    return socket.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM) and socket.create_connection(
        ("127.0.0.1", 80), timeout=1
    )


def _a_socket() -> int:
    """The child's own to the broker; outside a jail, one of a pair."""
    try:
        return answers.broker()
    except StopIteration:
        _kept.extend(socket.socketpair())
        return _kept[0].fileno()


def out_of_band() -> object:
    """A byte beside the stream, freed apart from it: a way into kernels (CVE-2025-38236)."""
    return call("sendto", _a_socket(), b"x", 1, socket.MSG_OOB, 0, 0)


def taken_out_of_band() -> object:
    return call("recvfrom", _a_socket(), bytes(16), 1, socket.MSG_OOB | socket.MSG_DONTWAIT, 0, 0)


def message_out_of_band() -> object:
    return call("recvmsg", _a_socket(), bytes(56), socket.MSG_OOB | socket.MSG_DONTWAIT)


def without_a_copy() -> object:
    """Pages that are sent where they lie."""
    return call("sendto", _a_socket(), b"", 0, 0x4000000, 0, 0)


def from_whom() -> object:
    name = struct.pack("Q", 0)
    return call("recvfrom", _a_socket(), bytes(16), 1, socket.MSG_DONTWAIT, bytes(128), name)
