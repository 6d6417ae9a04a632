//! IP addresses and networks, as the specification's `network` extension has
//! them: `ip('10.0.0.1')`, `cidr('10.0.0.0/8').containsIP(event.data.peer)`.

use std::any::Any;
use std::net::{IpAddr, Ipv6Addr};

use cel::common::types::{CelBool, CelInt, CelString, STRING_TYPE, Type};
use cel::common::value::{CowVal, StaticVal, Val};
use cel::{DeclarationError, Env, ExecutionError};

use super::argument;

pub(crate) static IP_TYPE: Type = Type::new_unspecified_type("net.IP");
pub(crate) static CIDR_TYPE: Type = Type::new_unspecified_type("net.CIDR");

#[derive(Debug, Clone, Copy)]
struct Ip(IpAddr);

/// An address and how many of its leading bits name the network.
#[derive(Debug, Clone, Copy)]
struct Cidr {
    address: IpAddr,
    prefix_bits: u8,
}

impl Val for Ip {
    fn get_type(&self) -> &Type {
        &IP_TYPE
    }

    fn cel_type() -> &'static Type {
        &IP_TYPE
    }

    /// An IPv4 address written as an IPv6 one is the same address.
    fn equals(&self, other: &dyn Val) -> bool {
        other
            .downcast_ref::<Self>()
            .is_some_and(|other| self.0.to_canonical() == other.0.to_canonical())
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(*self)
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Ip {}

impl Val for Cidr {
    fn get_type(&self) -> &Type {
        &CIDR_TYPE
    }

    fn cel_type() -> &'static Type {
        &CIDR_TYPE
    }

    fn equals(&self, other: &dyn Val) -> bool {
        other.downcast_ref::<Self>().is_some_and(|other| {
            self.address == other.address && self.prefix_bits == other.prefix_bits
        })
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(*self)
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Cidr {}

impl Ip {
    fn parse(function: &str, text: &str) -> Result<Self, ExecutionError> {
        let refuse =
            |why: &str| ExecutionError::function_error(function, format!("`{text}` {why}"));
        if text.contains('%') {
            return Err(refuse("has a zone, which an address must not have here"));
        }
        let is_mapped = text.contains(':') && text.contains('.');
        if is_mapped {
            return Err(refuse("is an IPv4 address within an IPv6 one; write it as IPv4"));
        }
        text.parse().map(Self).map_err(|_| refuse("is not an IP address"))
    }

    fn is_link_local(self) -> bool {
        match self.0 {
            IpAddr::V4(address) => address.is_link_local(),
            IpAddr::V6(address) => address.segments()[0] & 0xffc0 == 0xfe80,
        }
    }

    fn is_link_local_multicast(self) -> bool {
        match self.0 {
            IpAddr::V4(address) => address.octets()[..3] == [224, 0, 0],
            IpAddr::V6(address) => address.segments()[0] & 0xff0f == 0xff02,
        }
    }

    fn is_global_unicast(self) -> bool {
        let is_broadcast = matches!(self.0, IpAddr::V4(address) if address.is_broadcast());
        let is_special = self.0.is_unspecified() || self.0.is_loopback() || self.0.is_multicast();
        !is_broadcast && !is_special && !self.is_link_local()
    }
}

impl Cidr {
    fn parse(function: &str, text: &str) -> Result<Self, ExecutionError> {
        let refuse = || {
            let message = format!("`{text}` is not a network, as `10.0.0.0/8` is");
            ExecutionError::function_error(function, message)
        };
        let (address, prefix) = text.split_once('/').ok_or_else(refuse)?;
        let address = Ip::parse(function, address)?.0;
        // `+8` and `08` would be numbers too.
        let is_plain = prefix.bytes().all(|b| b.is_ascii_digit())
            && (prefix.len() == 1 || !prefix.starts_with('0'));
        let prefix_bits = prefix.parse().ok().filter(|_| is_plain).ok_or_else(refuse)?;
        if prefix_bits > width(address) {
            return Err(refuse());
        }
        Ok(Self { address, prefix_bits })
    }

    fn contains_address(self, other: IpAddr) -> bool {
        let same_family = self.address.is_ipv4() == other.is_ipv4();
        same_family && masked(self.address, self.prefix_bits) == masked(other, self.prefix_bits)
    }

    fn contains_network(self, other: Self) -> bool {
        self.prefix_bits <= other.prefix_bits && self.contains_address(other.address)
    }
}

/// How many bits an address has.
fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The address with all but its leading bits set to zero.
fn masked(address: IpAddr, prefix_bits: u8) -> IpAddr {
    let zeros = u32::from(width(address) - prefix_bits);
    match address {
        IpAddr::V4(address) => {
            let kept = u32::MAX.checked_shl(zeros).unwrap_or(0);
            IpAddr::V4((u32::from(address) & kept).into())
        }
        IpAddr::V6(address) => {
            let kept = u128::MAX.checked_shl(zeros).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from(u128::from(address) & kept))
        }
    }
}

type Outcome<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;

pub(crate) fn extension(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_type(IP_TYPE.to_owned())?;
    env.add_type(CIDR_TYPE.to_owned())?;
    let (ip, cidr) = (|| IP_TYPE.to_owned(), || CIDR_TYPE.to_owned());
    env.add_overload("ip", "string_to_ip", vec![STRING_TYPE], parse_ip)?;
    env.add_overload("ip", "ip_to_ip", vec![ip()], same)?;
    env.add_overload("cidr", "string_to_cidr", vec![STRING_TYPE], parse_cidr)?;
    env.add_overload("cidr", "cidr_to_cidr", vec![cidr()], same)?;
    env.add_overload("isIP", "is_ip", vec![STRING_TYPE], is_ip)?;
    env.add_overload("isCIDR", "is_cidr", vec![STRING_TYPE], is_cidr)?;
    env.add_overload("ip.isCanonical", "ip_is_canonical", vec![STRING_TYPE], is_canonical)?;
    env.add_overload("string", "ip_to_string", vec![ip()], ip_text)?;
    env.add_overload("string", "cidr_to_string", vec![cidr()], cidr_text)?;
    env.add_member_overload("family", "ip_family", ip(), vec![], family)?;
    for (name, function) in [
        ("isUnspecified", is_unspecified as _),
        ("isLoopback", is_loopback as _),
        ("isGlobalUnicast", is_global_unicast as _),
        ("isLinkLocalMulticast", is_link_local_multicast as _),
        ("isLinkLocalUnicast", is_link_local_unicast as _),
    ] {
        env.add_member_overload(name, name, ip(), vec![], function)?;
    }
    for (id, of) in [("of_ip", ip()), ("of_text", STRING_TYPE)] {
        env.add_member_overload("containsIP", id, cidr(), vec![of], contains_ip)?;
    }
    for (id, of) in [("of_cidr", cidr()), ("of_text", STRING_TYPE)] {
        env.add_member_overload("containsCIDR", id, cidr(), vec![of], contains_cidr)?;
    }
    env.add_member_overload("ip", "cidr_ip", cidr(), vec![], address)?;
    env.add_member_overload("masked", "cidr_masked", cidr(), vec![], network)?;
    env.add_member_overload("prefixLength", "cidr_prefix_length", cidr(), vec![], prefix_length)
}

fn boolean<'b, 'v>(value: bool) -> Outcome<'b, 'v> {
    Ok(CowVal::owned(CelBool::from(value)))
}

fn text<'a>(args: &'a [CowVal<'_, '_>], index: usize) -> Result<&'a str, ExecutionError> {
    Ok(argument::<CelString<'_>>(args, index)?.inner())
}

fn same<'b, 'v>(mut args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    args.pop().ok_or_else(|| ExecutionError::invalid_argument_count(1, 0))
}

fn parse_ip<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    Ok(CowVal::owned(Ip::parse("ip", text(&args, 0)?)?))
}

fn parse_cidr<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    Ok(CowVal::owned(Cidr::parse("cidr", text(&args, 0)?)?))
}

fn is_ip<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    boolean(Ip::parse("isIP", text(&args, 0)?).is_ok())
}

fn is_cidr<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    boolean(Cidr::parse("isCIDR", text(&args, 0)?).is_ok())
}

fn is_canonical<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    let text = text(&args, 0)?;
    boolean(Ip::parse("ip.isCanonical", text)?.0.to_string() == text)
}

fn ip_text<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    Ok(CowVal::owned(CelString::from(argument::<Ip>(&args, 0)?.0.to_string())))
}

fn cidr_text<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    let cidr = argument::<Cidr>(&args, 0)?;
    Ok(CowVal::owned(CelString::from(format!("{}/{}", cidr.address, cidr.prefix_bits))))
}

fn family<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    let family = if argument::<Ip>(&args, 0)?.0.to_canonical().is_ipv4() { 4 } else { 6 };
    Ok(CowVal::owned(CelInt::from(family)))
}

fn is_unspecified<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    boolean(argument::<Ip>(&args, 0)?.0.is_unspecified())
}

fn is_loopback<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    boolean(argument::<Ip>(&args, 0)?.0.is_loopback())
}

fn is_global_unicast<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    boolean(argument::<Ip>(&args, 0)?.is_global_unicast())
}

fn is_link_local_multicast<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    boolean(argument::<Ip>(&args, 0)?.is_link_local_multicast())
}

fn is_link_local_unicast<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    boolean(argument::<Ip>(&args, 0)?.is_link_local())
}

fn contains_ip<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    let address = match argument::<Ip>(&args, 1) {
        Ok(address) => *address,
        Err(_) => Ip::parse("containsIP", text(&args, 1)?)?,
    };
    boolean(argument::<Cidr>(&args, 0)?.contains_address(address.0))
}

fn contains_cidr<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    let network = match argument::<Cidr>(&args, 1) {
        Ok(network) => *network,
        Err(_) => Cidr::parse("containsCIDR", text(&args, 1)?)?,
    };
    boolean(argument::<Cidr>(&args, 0)?.contains_network(network))
}

fn address<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    Ok(CowVal::owned(Ip(argument::<Cidr>(&args, 0)?.address)))
}

fn network<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    let Cidr { address, prefix_bits } = *argument::<Cidr>(&args, 0)?;
    Ok(CowVal::owned(Cidr { address: masked(address, prefix_bits), prefix_bits }))
}

fn prefix_length<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Outcome<'b, 'v> {
    Ok(CowVal::owned(CelInt::from(i64::from(argument::<Cidr>(&args, 0)?.prefix_bits))))
}
