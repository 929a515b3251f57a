"""Attacks on the network layer: a socket of any family would be a way out."""

from __future__ import annotations

import socket

from .raw import call


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
