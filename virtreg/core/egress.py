"""Which addresses an upstream may be reached at.

The public internet is open; everything else must be named by the operator. An IPv6 address that
carries an IPv4 address is judged by the address it carries, so no spelling dodges the check.
"""

from __future__ import annotations

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from attrs import field, frozen

from virtreg.core.weburl import WebUrl, check_url

__all__ = ["EgressPolicy", "WebUrl", "check_url"]

_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network

_NEVER_UNLESS_NAMED: tuple[tuple[_Network, str], ...] = tuple(
    (ip_network(cidr), kind)
    for cidr, kind in (
        ("100.100.100.200", "a cloud metadata service"),
        ("168.63.129.16", "a cloud metadata service"),
        ("169.254.169.254", "a cloud metadata service"),
        ("192.0.0.192", "a cloud metadata service"),
        ("fd00:ec2::254", "a cloud metadata service"),
        ("fd20:ce::254", "a cloud metadata service"),
        ("169.254.0.0/16", "a link-local address"),
        ("fe80::/10", "a link-local address"),
    )
)

# The special-purpose registries of RFC 6890 and its updates, kept here because the standard
# library's own verdicts changed between its patch releases.
_NOT_PUBLIC: tuple[tuple[_Network, str], ...] = tuple(
    (ip_network(cidr), kind)
    for cidr, kind in (
        ("0.0.0.0/32", "the unspecified address"),
        ("0.0.0.0/8", "a reserved address"),
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "a shared (carrier NAT) address"),
        ("127.0.0.0/8", "a loopback address"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "a reserved address"),
        ("192.0.2.0/24", "a documentation address"),
        ("192.88.99.0/24", "a reserved address"),
        ("192.168.0.0/16", "a private address"),
        ("198.18.0.0/15", "a benchmarking address"),
        ("198.51.100.0/24", "a documentation address"),
        ("203.0.113.0/24", "a documentation address"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "a reserved address"),
        ("::/128", "the unspecified address"),
        ("::1/128", "a loopback address"),
        ("fc00::/7", "a private (unique local) address"),
        ("ff00::/8", "a multicast address"),
        ("2001::/23", "a reserved address"),
        ("2001:db8::/32", "a documentation address"),
        ("3fff::/20", "a documentation address"),
    )
)

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")


def _parse(cidrs: tuple[str, ...]) -> tuple[_Network, ...]:
    networks = []
    for cidr in cidrs:
        try:
            networks.append(ip_network(cidr))
        except ValueError as error:
            raise ValueError(f"allow_private: {cidr!r} is not a CIDR range: {error}") from None
    return tuple(networks)


@frozen
class EgressPolicy:
    """Decides about addresses. Immutable, so safe to share between threads.

    ``allow_private`` lists CIDR ranges outside the public internet that may be reached too. Two
    kinds of address stay closed inside any range and open only when the very address is listed
    (as itself, ``/32`` or ``/128``): link-local ones and cloud metadata services.

    Raises ValueError, naming the range, when one is not a CIDR range or has host bits set.
    """

    allow_private: tuple[str, ...] = ()
    _networks: tuple[_Network, ...] = field(init=False, repr=False, eq=False)

    @_networks.default
    def _parse_networks(self) -> tuple[_Network, ...]:
        return _parse(self.allow_private)

    def refuses(self, address: str) -> str | None:
        """Why this IP address (text, as a resolver gives it) may not be reached, or None."""
        try:
            parsed = ip_address(address.partition("%")[0])
        except ValueError:
            return "it is not an IP address"
        for judged in _carried(parsed):
            kind = self._judge(judged)
            if kind is not None:
                return kind if judged == parsed else f"it carries {judged}, {kind}"
        return None

    def refuses_host(self, host: str) -> str | None:
        """As :meth:`refuses` for a URL's host, without resolving: IP literals are judged,
        ``localhost`` names count as loopback (RFC 6761, 6.3), other names pass."""
        name = host.rstrip(".").lower()
        if name == "localhost" or name.endswith(".localhost"):
            return self.refuses("127.0.0.1")
        try:
            ip_address(host)
        except ValueError:
            return None
        return self.refuses(host)

    def _judge(self, address: _Address) -> str | None:
        if any(net.prefixlen == net.max_prefixlen and address in net for net in self._networks):
            return None
        for network, kind in _NEVER_UNLESS_NAMED:
            if address in network:
                return kind
        if any(address in network for network in self._networks):
            return None
        for network, kind in _NOT_PUBLIC:
            if address in network:
                return kind
        if address.version == 6 and address not in _GLOBAL_UNICAST:
            return "a reserved address"
        return None


def _carried(address: _Address) -> tuple[_Address, ...]:
    """The addresses that decide: those inside (RFC 4291, 3056, 4380, 6052), else itself."""
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    return (address,)
