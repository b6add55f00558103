package fetch

import "net/netip"

// A network is a range of addresses that are nobody's on the public internet.
type network struct {
	prefix netip.Prefix
	what   string
}

// networks are the ranges that IANA's registries of special-purpose addresses
// mark as not globally reachable, with those through which an IPv4 address can be
// reached by another spelling. A more particular range stands before a wider one.
var networks = []network{
	{netip.MustParsePrefix("169.254.169.254/32"), "is a cloud's metadata address"},
	{netip.MustParsePrefix("169.254.170.2/32"), "is a cloud's metadata address"},
	{netip.MustParsePrefix("100.100.100.200/32"), "is a cloud's metadata address"},
	{netip.MustParsePrefix("168.63.129.16/32"), "is a cloud's metadata address"},
	{netip.MustParsePrefix("192.0.0.192/32"), "is a cloud's metadata address"},
	{netip.MustParsePrefix("fd00:ec2::/32"), "is a cloud's metadata address"},
	{netip.MustParsePrefix("fd20:ce::254/128"), "is a cloud's metadata address"},

	{netip.MustParsePrefix("0.0.0.0/8"), "is an unspecified address"},
	{netip.MustParsePrefix("10.0.0.0/8"), "is a private address"},
	{netip.MustParsePrefix("100.64.0.0/10"), "is a shared carrier address"},
	{netip.MustParsePrefix("127.0.0.0/8"), "is a loopback address"},
	{netip.MustParsePrefix("169.254.0.0/16"), "is a link-local address"},
	{netip.MustParsePrefix("172.16.0.0/12"), "is a private address"},
	{netip.MustParsePrefix("192.0.0.0/24"), "is a reserved address"},
	{netip.MustParsePrefix("192.0.2.0/24"), "is an address for documentation"},
	{netip.MustParsePrefix("192.88.99.0/24"), "is a reserved address"},
	{netip.MustParsePrefix("192.168.0.0/16"), "is a private address"},
	{netip.MustParsePrefix("198.18.0.0/15"), "is an address for benchmarks"},
	{netip.MustParsePrefix("198.51.100.0/24"), "is an address for documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "is an address for documentation"},
	{netip.MustParsePrefix("224.0.0.0/4"), "is a multicast address"},
	{netip.MustParsePrefix("240.0.0.0/4"), "is a reserved address"},

	{netip.MustParsePrefix("::/128"), "is an unspecified address"},
	{netip.MustParsePrefix("::1/128"), "is a loopback address"},
	{netip.MustParsePrefix("64:ff9b:1::/48"), "is a local translation address"},
	{netip.MustParsePrefix("::/8"), "is a reserved address"},
	{netip.MustParsePrefix("100::/64"), "is a discard address"},
	{netip.MustParsePrefix("2001::/23"), "is a reserved address"},
	{netip.MustParsePrefix("2001:db8::/32"), "is an address for documentation"},
	{netip.MustParsePrefix("3fff::/20"), "is an address for documentation"},
	{netip.MustParsePrefix("5f00::/16"), "is a reserved address"},
	{netip.MustParsePrefix("fc00::/7"), "is a private address"},
	{netip.MustParsePrefix("fe80::/10"), "is a link-local address"},
	{netip.MustParsePrefix("fec0::/10"), "is a private address"},
	{netip.MustParsePrefix("ff00::/8"), "is a multicast address"},
}

var (
	nat64   = netip.MustParsePrefix("64:ff9b::/96")
	sixTo4  = netip.MustParsePrefix("2002::/16")
	siit    = netip.MustParsePrefix("::ffff:0:0:0/96")
	global6 = netip.MustParsePrefix("2000::/3")
)

// Private says why an address is not one of the public internet, such as "is a
// loopback address"; "" is that it is. An IPv4 address inside an IPv6 one counts
// as itself.
func Private(addr netip.Addr) string {
	addr = addr.WithZone("").Unmap()
	if !addr.IsValid() {
		return "is no address"
	}
	if inner, ok := embedded(addr); ok {
		if why := Private(inner); why != "" {
			return why + " in another spelling"
		}
		return ""
	}
	for _, n := range networks {
		if n.prefix.Contains(addr) {
			return n.what
		}
	}
	if addr.Is6() && !global6.Contains(addr) {
		return "is a reserved address"
	}
	return ""
}

// embedded takes the IPv4 address out of an IPv6 one that stands for it.
func embedded(addr netip.Addr) (netip.Addr, bool) {
	if !addr.Is6() {
		return netip.Addr{}, false
	}
	b := addr.As16()
	switch {
	case nat64.Contains(addr), siit.Contains(addr):
		return netip.AddrFrom4([4]byte(b[12:16])), true
	case sixTo4.Contains(addr):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	case [12]byte(b[:12]) == [12]byte{} && b[12] != 0: // ::a.b.c.d, long given up
		return netip.AddrFrom4([4]byte(b[12:16])), true
	}
	return netip.Addr{}, false
}
