//! Name servers that an operator chose over the machine's own.

use std::net::{IpAddr, SocketAddr};

use super::SettingError;

/// Where name servers listen when nobody says otherwise.
const USUAL_PORT: u16 = 53;

/// Addresses with commas between them, each perhaps with a port; none when nothing is
/// set.
pub(super) fn parse(text: Option<&str>) -> Result<Vec<SocketAddr>, SettingError> {
    let entries = text.unwrap_or_default().split(',').map(str::trim);
    let read = |entry: &str| {
        let address = entry.parse::<SocketAddr>();
        let bare = || entry.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, USUAL_PORT));
        address.or_else(|_| bare()).map_err(|_| {
            SettingError::new(
                "ALERTS_NAME_SERVERS",
                format!("`{entry}` is not the address of a name server"),
                "write addresses like 10.0.0.53 or [fd00::53]:5353, with commas between them",
            )
        })
    };
    entries.filter(|entry| !entry.is_empty()).map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_server_is_an_address_and_perhaps_a_port() {
        let read = parse(Some("10.0.0.53, fd00::53,[fd00::53]:5353")).unwrap();
        let read: Vec<_> = read.iter().map(ToString::to_string).collect();
        assert_eq!(read, ["10.0.0.53:53", "[fd00::53]:53", "[fd00::53]:5353"]);
        assert!(parse(None).unwrap().is_empty());
        assert!(parse(Some("dns.example.com")).is_err());
    }
}
