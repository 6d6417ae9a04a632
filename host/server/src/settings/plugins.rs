//! What plugins may use where no operator has said otherwise for one of them.

use alerts_sandbox::{Limits, SandboxConfig};

use super::{ServeArgs, SettingError, given, whole};

/// Largest file that may be allowed: it is held in memory while it is compiled.
const MAX_FILE_MIB: u64 = 256;
/// The plugins inside the binary must fit.
const MIN_FILE_MIB: u64 = 4;
/// Two, so that one tenant's slow call does not hold up the others.
const MIN_THREADS: u64 = 2;
const MAX_THREADS: u64 = 256;

/// What was set; the rest is the sandbox's default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PluginSettings {
    memory_mib: Option<u64>,
    deadline_ms: Option<u64>,
    file_mib: Option<u64>,
    threads: Option<u64>,
}

impl PluginSettings {
    pub(super) fn read(args: &ServeArgs, wrong: &mut Vec<SettingError>) -> Self {
        let mut read = |setting, value: &Option<String>, least, most| {
            let number = given(value).map(|text| whole(setting, text, least, most));
            super::keep(wrong, number.transpose()).flatten()
        };
        let memory = (Limits::CEILING.memory_bytes >> 20) as u64;
        let deadline = Limits::CEILING.target.deadline_ms;
        Self {
            memory_mib: read("ALERTS_PLUGIN_MEMORY_MIB", &args.plugin_memory_mib, 1, memory),
            deadline_ms: read("ALERTS_PLUGIN_DEADLINE_MS", &args.plugin_deadline_ms, 1, deadline),
            file_mib: read(
                "ALERTS_PLUGIN_FILE_MIB",
                &args.plugin_file_mib,
                MIN_FILE_MIB,
                MAX_FILE_MIB,
            ),
            threads: read("ALERTS_PLUGIN_THREADS", &args.plugin_threads, MIN_THREADS, MAX_THREADS),
        }
    }

    /// A sandbox's configuration with these.
    pub fn apply(&self, mut config: SandboxConfig) -> SandboxConfig {
        // They were checked against ceilings that fit.
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        if let Some(mib) = self.memory_mib {
            config.limits.memory_bytes = size(mib) << 20;
        }
        if let Some(ms) = self.deadline_ms {
            config.limits.target.deadline_ms = ms;
        }
        if let Some(mib) = self.file_mib {
            config.wasm_bytes = size(mib) << 20;
        }
        if let Some(threads) = self.threads {
            config.threads = size(threads);
        }
        config
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_takes_the_place_of_the_default_and_nothing_else_changes() {
        let set = |value: &str| Some(value.to_owned());
        let args = ServeArgs {
            plugin_memory_mib: set("128"),
            plugin_deadline_ms: set("30000"),
            plugin_file_mib: set("4"),
            plugin_threads: set("3"),
            ..ServeArgs::default()
        };
        let mut wrong = Vec::new();
        let config = PluginSettings::read(&args, &mut wrong).apply(SandboxConfig::default());
        assert!(wrong.is_empty(), "{wrong:?}");
        assert_eq!((config.wasm_bytes, config.threads), (4 << 20, 3));
        let mut limits = Limits { memory_bytes: 128 << 20, ..Limits::default() };
        limits.target.deadline_ms = 30_000;
        assert_eq!(config.limits, limits);
    }

    #[test]
    fn a_number_out_of_range_is_refused_by_name_with_the_range() {
        for (text, range) in [("0", "1 to 1024"), ("-1", "1 to 1024"), ("1025", "1 to 1024")] {
            let args =
                ServeArgs { plugin_memory_mib: Some(text.to_owned()), ..ServeArgs::default() };
            let mut wrong = Vec::new();
            PluginSettings::read(&args, &mut wrong);
            let told = wrong[0].to_string();
            assert!(told.starts_with("ALERTS_PLUGIN_MEMORY_MIB: "), "{told}");
            assert!(told.contains(range) && told.contains(text), "{told}");
        }
        for (args, name) in [
            (
                ServeArgs { plugin_deadline_ms: Some("30001".into()), ..ServeArgs::default() },
                "ALERTS_PLUGIN_DEADLINE_MS",
            ),
            (
                ServeArgs { plugin_threads: Some("1".into()), ..ServeArgs::default() },
                "ALERTS_PLUGIN_THREADS",
            ),
            (
                ServeArgs { plugin_file_mib: Some("1e3".into()), ..ServeArgs::default() },
                "ALERTS_PLUGIN_FILE_MIB",
            ),
        ] {
            let mut wrong = Vec::new();
            PluginSettings::read(&args, &mut wrong);
            assert_eq!(wrong.len(), 1);
            assert_eq!(wrong[0].setting, name);
        }
    }
}
