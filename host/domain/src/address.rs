//! Which network addresses the host refuses to connect to on a tenant's behalf.
//!
//! A tenant chooses the host name, and DNS answers whatever its owner likes, so
//! every address is judged, again at each connection. An address that carries an
//! IPv4 address inside is judged by what it carries too, whatever was opened: a
//! tunnel leads there. Source of the ranges: the IANA special-purpose address
//! registries (RFC 6890 and its updates).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Exceptions the operator opened with `ALERTS_ALLOW_TARGETS`.
#[derive(Debug, Clone, Default)]
pub struct AddressRules {
    allowed: Vec<IpNet>,
}

/// An address that the host does not connect to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{address} is {reason}; an operator can open it with ALERTS_ALLOW_TARGETS")]
pub struct ForbiddenAddress {
    /// The address, as it was resolved.
    pub address: IpAddr,
    /// What kind of address it is, with its article.
    pub reason: &'static str,
}

impl AddressRules {
    /// Opens these networks in addition to the public internet.
    pub fn new(allowed: Vec<IpNet>) -> Self {
        Self { allowed }
    }

    /// Whether the host may connect to it.
    pub fn judge(&self, address: IpAddr) -> Result<(), ForbiddenAddress> {
        // A mapped address is the IPv4 one in other clothes: the machine connects to that.
        let reason = match address.to_canonical() {
            IpAddr::V4(v4) => self.forbidden_v4(v4),
            IpAddr::V6(v6) => match carried_v4(v6) {
                None if self.is_opened(v6.into()) => None,
                None => forbidden_v6(v6),
                // A tunnel is refused as such even where it leads somewhere public:
                // the far end chooses the route. An operator who opens it has a
                // tunnel, and not with it all that lies behind.
                Some(v4) => self.forbidden_v4(v4).or_else(|| {
                    (!self.is_opened(v6.into()))
                        .then_some("an address that tunnels to IPv4 (NAT64, 6to4, Teredo)")
                }),
            },
        };
        match reason {
            None => Ok(()),
            Some(reason) => Err(ForbiddenAddress { address, reason }),
        }
    }

    fn forbidden_v4(&self, address: Ipv4Addr) -> Option<&'static str> {
        if self.is_opened(address.into()) { None } else { forbidden_v4(address) }
    }

    fn is_opened(&self, address: IpAddr) -> bool {
        self.allowed.iter().any(|net| net.contains(&address))
    }
}

fn forbidden_v4(address: Ipv4Addr) -> Option<&'static str> {
    match address.octets() {
        [0, ..] => Some("an unspecified address"),
        [127, ..] => Some("a loopback address"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some("a private address"),
        [169, 254, ..] => Some("a link-local or cloud metadata address"),
        [100, 64..=127, ..] => Some("a carrier-grade NAT address"),
        [192, 0, 0, _] | [192, 88, 99, _] => Some("a protocol assignment"),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Some("a documentation address"),
        [198, 18..=19, ..] => Some("a benchmarking address"),
        [224..=239, ..] => Some("a multicast address"),
        [240..=255, ..] => Some("a reserved or broadcast address"),
        _ => None,
    }
}

fn forbidden_v6(address: Ipv6Addr) -> Option<&'static str> {
    if address.is_unspecified() {
        return Some("an unspecified address");
    }
    if address.is_loopback() {
        return Some("a loopback address");
    }
    match address.segments() {
        [0xff00..=0xffff, ..] => Some("a multicast address"),
        [0xfe80..=0xfebf, ..] => Some("a link-local address"),
        [0xfec0..=0xfeff, ..] => Some("a site-local address"),
        [0xfc00..=0xfdff, ..] => Some("a unique local (private) address"),
        [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => Some("a documentation address"),
        [0x2001, 0..=0x01ff, ..] => Some("a protocol assignment"),
        [0x0100, 0, 0, 0, ..] => Some("a discard-only address"),
        [0x5f00, ..] => Some("a segment routing address"),
        // Everything unicast and global lies in 2000::/3.
        [0x2000..=0x3fff, ..] => None,
        _ => Some("not a global unicast address"),
    }
}

/// The IPv4 address inside: translated, compatible, NAT64 (both prefixes), 6to4,
/// Teredo (whose client address is stored inverted).
fn carried_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0xffff, 0, high, low] => v4(high, low),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => v4(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x64, 0xff9b, 1, _, _, _, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        [0x2001, 0, _, _, _, _, high, low] => v4(!high, !low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn judge(address: &str) -> Result<(), ForbiddenAddress> {
        AddressRules::default().judge(address.parse().unwrap())
    }

    #[test]
    fn public_addresses_are_open() {
        for address in
            ["1.1.1.1", "93.184.216.34", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1"]
        {
            assert_eq!(judge(address), Ok(()), "{address}");
        }
    }

    #[test]
    fn everything_that_is_not_the_public_internet_is_refused() {
        for address in [
            "0.0.0.0",
            "127.0.0.1",
            "127.8.8.8",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.192",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::101:101",
            "64:ff9b:1::a00:1",
            "2002:7f00:1::",
            "2001:0:1::80ff:fffe",
            "fec0::1",
            "100::1",
        ] {
            assert!(judge(address).is_err(), "{address}");
        }
    }

    #[test]
    fn an_operator_opens_networks_one_by_one() {
        let rules = AddressRules::new(vec!["127.0.0.0/8".parse().unwrap()]);
        assert_eq!(rules.judge("127.0.0.1".parse().unwrap()), Ok(()));
        assert_eq!(rules.judge("::ffff:127.0.0.1".parse().unwrap()), Ok(()));
        assert!(rules.judge("10.0.0.1".parse().unwrap()).is_err());
        assert!(rules.judge("::1".parse().unwrap()).is_err());
    }

    /// Every way to write an IPv4 address into an IPv6 one that is a tunnel.
    fn tunnels(v4: Ipv4Addr) -> [Ipv6Addr; 6] {
        let [a, b, c, d] = v4.octets();
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        [
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
            Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            Ipv6Addr::new(0x2001, 0, 0x4136, 0xe378, 0x8000, 63, !high, !low),
            Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
        ]
    }

    #[test]
    fn in_an_opened_tunnel_the_address_inside_is_judged_all_the_same() {
        let opened = AddressRules::new(vec!["::/0".parse().unwrap()]);
        for inside in ["169.254.169.254", "127.0.0.1", "10.0.0.1", "192.168.7.7"] {
            for tunnel in tunnels(inside.parse().unwrap()) {
                assert!(opened.judge(tunnel.into()).is_err(), "{inside} by {tunnel}");
            }
        }
        for tunnel in tunnels("8.8.8.8".parse().unwrap()) {
            assert_eq!(opened.judge(tunnel.into()), Ok(()), "{tunnel}");
        }
        let nat64 = AddressRules::new(vec!["64:ff9b::/96".parse().unwrap()]);
        assert!(nat64.judge("64:ff9b::a9fe:a9fe".parse().unwrap()).is_err());
        assert_eq!(nat64.judge("64:ff9b::808:808".parse().unwrap()), Ok(()));
    }

    #[test]
    fn an_opened_ipv4_network_opens_no_tunnel_to_it() {
        let rules = AddressRules::new(vec!["127.0.0.0/8".parse().unwrap()]);
        for tunnel in tunnels(Ipv4Addr::LOCALHOST) {
            assert!(rules.judge(tunnel.into()).is_err(), "{tunnel}");
        }
        let both = ["127.0.0.0/8", "64:ff9b::/96"].map(|net| net.parse().unwrap());
        let both = AddressRules::new(both.to_vec());
        assert_eq!(both.judge("64:ff9b::7f00:1".parse().unwrap()), Ok(()));
    }

    proptest! {
        #[test]
        fn a_mapped_address_is_judged_as_what_it_carries(bits: u32) {
            let v4 = Ipv4Addr::from_bits(bits);
            let rules = AddressRules::default();
            prop_assert_eq!(
                rules.judge(v4.into()).is_ok(),
                rules.judge(v4.to_ipv6_mapped().into()).is_ok()
            );
        }
    }
}
