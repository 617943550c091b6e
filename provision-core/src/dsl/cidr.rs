//! Networks in CIDR notation.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// An IPv4 or IPv6 network without host bits, written `cidr!("10.1.0.0/16")`.
///
/// Arithmetic never fails on the spot: a network that cannot be is a finding where it is used, so that a block's
/// function needs no `?`.
///
/// ```
/// use provision_core::prelude::*;
///
/// const NET: Cidr = cidr!("10.1.0.0/16");
/// assert_eq!(NET.subnet(24, 7).to_string(), "10.1.7.0/24");
/// assert!(NET.subnet(24, 256).problem().is_some());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cidr(Result<IpNet, Problem>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Problem {
    /// A literal that a macro would have refused.
    Prefix { len: u8 },
    /// A subnet that is larger than its network, or longer than an address.
    Length { of: IpNet, len: u8 },
    /// A subnet beyond the end of its network.
    Beyond { of: IpNet, len: u8, index: u32 },
}

impl Cidr {
    /// The IPv4 network of an address; `cidr!` calls it with a literal that it has checked.
    pub const fn v4(octets: [u8; 4], len: u8) -> Self {
        let [a, b, c, d] = octets;
        match Ipv4Net::new(Ipv4Addr::new(a, b, c, d), len) {
            Ok(net) => Self(Ok(IpNet::V4(net))),
            Err(_) => Self(Err(Problem::Prefix { len })),
        }
    }

    /// The IPv6 network of an address; `cidr!` calls it with a literal that it has checked.
    pub const fn v6(bits: u128, len: u8) -> Self {
        match Ipv6Net::new(Ipv6Addr::from_bits(bits), len) {
            Ok(net) => Self(Ok(IpNet::V6(net))),
            Err(_) => Self(Err(Problem::Prefix { len })),
        }
    }

    /// The `index`th network of prefix length `len` in this one, counted from 0.
    #[must_use]
    pub fn subnet(self, len: u8, index: u32) -> Self {
        let Ok(of) = self.0 else { return self };
        if len < of.prefix_len() || len > of.max_prefix_len() {
            return Self(Err(Problem::Length { of, len }));
        }
        let room = u32::from(len - of.prefix_len());
        if u128::from(index) >= 1u128.checked_shl(room).unwrap_or(u128::MAX) {
            return Self(Err(Problem::Beyond { of, len, index }));
        }
        let shift = u32::from(of.max_prefix_len() - len);
        let offset = u128::from(index).checked_shl(shift).unwrap_or(0);
        let net = match of.network() {
            // The offset lies within the network, and so within 32 bits.
            IpAddr::V4(ip) => {
                let bits = ip.to_bits() | u32::try_from(offset).unwrap_or(0);
                IpNet::new(Ipv4Addr::from_bits(bits).into(), len)
            }
            IpAddr::V6(ip) => IpNet::new(Ipv6Addr::from_bits(ip.to_bits() | offset).into(), len),
        };
        Self(net.map_err(|_| Problem::Length { of, len }))
    }

    /// Its prefix length, if it is a network.
    pub fn prefix_len(self) -> Option<u8> {
        self.0.ok().map(|net| net.prefix_len())
    }

    /// Whether it is an IPv4 network.
    pub fn is_v4(self) -> bool {
        matches!(self.0, Ok(IpNet::V4(_)))
    }

    /// Whether every address of `other` lies in this network; false if either is not a network.
    pub fn contains(self, other: Self) -> bool {
        matches!((self.0, other.0), (Ok(outer), Ok(inner)) if outer.contains(&inner))
    }

    /// What is wrong with it, if it came from arithmetic that has no result.
    pub fn problem(self) -> Option<String> {
        match self.0.err()? {
            Problem::Prefix { len } => Some(format!("a network has no prefix of {len} bits")),
            Problem::Length { of, len } => Some(format!(
                "`{of}` has no subnets of length {len}; write {} to {}",
                of.prefix_len(),
                of.max_prefix_len()
            )),
            Problem::Beyond { of, len, index } => Some(format!(
                "`{of}` has {} subnets of length {len}, counted from 0: there is no number {index}",
                1u128.checked_shl(u32::from(len - of.prefix_len())).unwrap_or(u128::MAX)
            )),
        }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Ok(net) => net.fmt(f),
            Err(_) => f.write_str("(not a network)"),
        }
    }
}

/// A text that is not a network without host bits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCidr {
    /// Not an address with a prefix length.
    #[error("`{0}` is not a network in CIDR notation, like `10.1.0.0/16`")]
    Form(String),
    /// An address inside a network.
    #[error("`{given}` has host bits set; the network is `{network}`")]
    HostBits {
        /// The text.
        given: String,
        /// The network that it lies in.
        network: String,
    },
}

impl FromStr for Cidr {
    type Err = BadCidr;
    fn from_str(text: &str) -> Result<Self, BadCidr> {
        let net: IpNet = text.parse().map_err(|_| BadCidr::Form(text.chars().take(60).collect()))?;
        let network = net.trunc();
        if net == network {
            Ok(Self(Ok(net)))
        } else {
            Err(BadCidr::HostBits { given: net.to_string(), network: network.to_string() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> Cidr {
        text.parse().unwrap()
    }

    #[test]
    fn subnets_are_counted_from_zero_and_end() {
        assert_eq!(net("10.1.0.0/16").subnet(24, 255), net("10.1.255.0/24"));
        assert_eq!(net("10.1.0.0/16").subnet(16, 0), net("10.1.0.0/16"));
        assert_eq!(net("0.0.0.0/0").subnet(32, u32::MAX), net("255.255.255.255/32"));
        assert_eq!(net("2001:db8::/32").subnet(64, 1), net("2001:db8:0:1::/64"));
        assert_eq!(net("::/0").subnet(128, 1), net("::1/128"));
        for (len, index) in [(24, 256), (8, 0), (33, 0), (16, 1)] {
            let bad = net("10.1.0.0/16").subnet(len, index);
            assert!(bad.problem().is_some(), "/{len} number {index}");
            assert_eq!(bad.subnet(32, 0), bad, "the first problem stays");
        }
    }

    #[test]
    fn host_bits_are_refused_with_the_network() {
        assert_eq!(
            "10.1.2.0/16".parse::<Cidr>().unwrap_err().to_string(),
            "`10.1.2.0/16` has host bits set; the network is `10.1.0.0/16`"
        );
        assert!("10.1.0.0".parse::<Cidr>().is_err());
        assert!("10.1.0.0/33".parse::<Cidr>().is_err());
    }

    #[test]
    fn containment() {
        assert!(net("10.0.0.0/8").contains(net("10.1.0.0/16")));
        assert!(!net("10.1.0.0/16").contains(net("10.0.0.0/8")));
        assert!(!net("::/0").contains(net("10.0.0.0/8")));
    }
}
