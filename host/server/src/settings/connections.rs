//! How many connections callers may hold open.

use super::error::SettingError;
use super::{ServeArgs, given, keep, whole};
use crate::limits::ServerLimits;

/// More than any system lets one process have.
const MOST: u64 = 1_000_000;

/// As the operator has set them; what is absent follows from the limit on open files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConnectionSettings {
    /// Connections that are open at once.
    pub connections: Option<usize>,
    /// Those from one address.
    pub connections_per_address: Option<usize>,
}

impl ConnectionSettings {
    pub(super) fn read(args: &ServeArgs, wrong: &mut Vec<SettingError>) -> Self {
        let least = ServerLimits::MIN_CONNECTIONS as u64;
        let mut read = |setting, text, least| -> Option<usize> {
            let number = given(text).map(|text| whole(setting, text, least, MOST)).transpose();
            keep(wrong, number).flatten().and_then(|number| usize::try_from(number).ok())
        };
        Self {
            connections: read("ALERTS_MAX_CONNECTIONS", &args.max_connections, least),
            connections_per_address: read(
                "ALERTS_MAX_CONNECTIONS_PER_ADDRESS",
                &args.max_connections_per_address,
                1,
            ),
        }
    }

    /// What holds for a process that may have this many files open.
    pub(crate) fn limits(self, open_files: u64) -> ServerLimits {
        let mut limits = match self.connections {
            Some(connections) => ServerLimits::of_connections(connections),
            None => ServerLimits::within(open_files),
        };
        if limits.connections as u64 > open_files / 2 {
            tracing::warn!(
                connections = limits.connections,
                open_files,
                "ALERTS_MAX_CONNECTIONS leaves too few open files for deliveries and the \
                 database; raise the limit on open files"
            );
        }
        if let Some(most) = self.connections_per_address {
            limits.connections_per_address = most.min(limits.connections);
        }
        limits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_holds_and_the_rest_follows() {
        let set = |connections, connections_per_address| {
            let limits = ConnectionSettings { connections, connections_per_address }.limits(4096);
            (limits.connections, limits.connections_per_address)
        };
        assert_eq!(set(None, None), (1024, 512));
        assert_eq!(set(Some(100), None), (100, 50));
        assert_eq!(set(Some(100), Some(7)), (100, 7));
        assert_eq!(set(Some(100), Some(700)), (100, 100));
    }

    #[test]
    fn a_number_out_of_range_is_told_by_name() {
        let args = ServeArgs {
            max_connections: Some("3".to_owned()),
            max_connections_per_address: Some("many".to_owned()),
            ..ServeArgs::default()
        };
        let mut wrong = Vec::new();
        ConnectionSettings::read(&args, &mut wrong);
        let names: Vec<_> = wrong.iter().map(|error| error.setting).collect();
        assert_eq!(names, ["ALERTS_MAX_CONNECTIONS", "ALERTS_MAX_CONNECTIONS_PER_ADDRESS"]);
    }
}
