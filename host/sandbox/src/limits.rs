//! What one call may use: the host's ceilings, what the operator grants, and
//! the smallest of these and what a plugin asks for.

use alerts_domain::plugin_limits::PluginLimits;
use alerts_package::Kind;

/// Fuel and time of one call. Fuel is what makes an answer the same on every
/// machine, so it is meant to run out well before the time does; the time is
/// for code that is slow without executing much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// Units of fuel, about one for each instruction.
    pub fuel: u64,
    /// Wall-clock time.
    pub deadline_ms: u64,
}

/// What the operator grants every plugin, and, made smaller by what a plugin's
/// manifest asks for, what a plugin has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Evaluating conditions. A condition takes some thousand units and some
    /// microseconds, so this holds for hundreds of them.
    pub condition: CallLimits,
    /// Compiling one condition.
    pub compile: CallLimits,
    /// `check` and `next` of a target. Room for a slow interpreter (JavaScript,
    /// Python) that starts from nothing in each call.
    pub target: CallLimits,
    /// One `evaluate` with everything in it: warming an instance up, and
    /// looking at each condition alone after one of them failed.
    pub evaluate_deadline_ms: u64,
    /// Linear memory of an instance, all of its memories together.
    pub memory_bytes: usize,
    /// What one call may return.
    pub output_bytes: usize,
    /// Elements in one table: a table of functions in a large interpreter has
    /// some thousand.
    pub table_elements: usize,
    /// Memories in one instance: interpreters bring two or three.
    pub memories: u32,
    /// Tables in one instance, as many as there are core instances with one.
    pub tables: u32,
    /// Core instances in one component: a toolchain's adapters take three to ten, a Python runtime takes nearly forty.
    pub core_instances: u32,
    /// Requests in one attempt: an OAuth token, an upload and a retry of both
    /// fit; a plugin that never finishes does not.
    pub exchanges: u32,
}

impl Limits {
    /// No operator can grant more: beyond these the promises to other tenants
    /// (a thread is free again soon, memory is bounded) do not hold.
    pub const CEILING: Self = Self {
        condition: CallLimits { fuel: 10_000_000_000, deadline_ms: 5_000 },
        compile: CallLimits { fuel: 10_000_000_000, deadline_ms: 5_000 },
        target: CallLimits { fuel: 50_000_000_000, deadline_ms: 30_000 },
        evaluate_deadline_ms: 30_000,
        memory_bytes: 1 << 30,
        output_bytes: 32 << 20,
        table_elements: 1 << 20,
        memories: 16,
        tables: 64,
        core_instances: 64,
        exchanges: 64,
    };

    /// The limits of a plugin that asks for these and is granted those, with
    /// this for what nobody says.
    #[must_use]
    pub(crate) fn for_plugin(
        mut self,
        kind: Kind,
        asked: &PluginLimits,
        granted: &PluginLimits,
    ) -> Self {
        let [fuel, deadline_ms, memory, output, exchanges] =
            self.decide(kind, asked, granted).map(|limit| limit.value);
        match kind {
            Kind::Target => self.target = CallLimits { fuel, deadline_ms },
            Kind::Condition => {
                self.condition = CallLimits { fuel, deadline_ms };
                let (larger, most) = (|limit: u64| limit.saturating_mul(WIDER), Self::CEILING);
                let fuel = granted.fuel.map_or(self.compile.fuel, larger);
                let time = granted.deadline_ms.map_or(self.compile.deadline_ms, larger);
                self.compile = CallLimits {
                    fuel: smaller(fuel.min(most.compile.fuel), asked.fuel),
                    deadline_ms: smaller(time.min(most.compile.deadline_ms), asked.deadline_ms),
                };
                let whole = granted.deadline_ms.map_or(0, larger).max(self.evaluate_deadline_ms);
                self.evaluate_deadline_ms = whole.min(most.evaluate_deadline_ms);
            }
        }
        self.memory_bytes = usize::try_from(memory).unwrap_or(self.memory_bytes);
        self.output_bytes = usize::try_from(output).unwrap_or(self.output_bytes);
        self.exchanges = u32::try_from(exchanges).unwrap_or(self.exchanges);
        self
    }

    /// Each limit that an operator may set for one plugin, and who decided it.
    pub(crate) fn decide(
        &self,
        kind: Kind,
        asked: &PluginLimits,
        granted: &PluginLimits,
    ) -> [DecidedLimit; 5] {
        let (defaults, most) = (self.settable(kind), Self::CEILING.settable(kind));
        let (asked, granted) = (asked.fields(), granted.fields());
        std::array::from_fn(|index| {
            let (name, granted) = granted[index];
            let given = match granted {
                Some(value) => DecidedLimit { name, value, decided_by: LimitSource::Operator },
                None => {
                    let value = defaults[index];
                    DecidedLimit { name, value, decided_by: LimitSource::Default }
                }
            };
            let asked = asked[index].1.map(|v| (v, LimitSource::Manifest));
            let others = [Some((most[index], LimitSource::Ceiling)), asked];
            others.into_iter().flatten().fold(given, |least, (value, decided_by)| {
                if value < least.value { DecidedLimit { name, value, decided_by } } else { least }
            })
        })
    }

    /// The most that an operator may grant a plugin of this kind, for each limit.
    pub fn ceilings(kind: Kind) -> [(&'static str, u64); 5] {
        let names = PluginLimits::default().fields();
        let most = Self::CEILING.settable(kind);
        std::array::from_fn(|index| (names[index].0, most[index]))
    }

    /// In the order of [`PluginLimits::fields`].
    fn settable(&self, kind: Kind) -> [u64; 5] {
        let call = match kind {
            Kind::Condition => self.condition,
            Kind::Target => self.target,
        };
        let (memory, output) = (self.memory_bytes as u64, self.output_bytes as u64);
        [call.fuel, call.deadline_ms, memory, output, self.exchanges.into()]
    }

    /// The first field that is zero or above [`Self::CEILING`], with its ceiling.
    pub(crate) fn out_of_range(&self) -> Option<(&'static str, u64)> {
        let call = |limits: &CallLimits, ceiling: CallLimits, fuel, deadline_ms| {
            [
                (fuel, limits.fuel, ceiling.fuel),
                (deadline_ms, limits.deadline_ms, ceiling.deadline_ms),
            ]
        };
        let most = Self::CEILING;
        let condition =
            call(&self.condition, most.condition, "condition.fuel", "condition.deadline_ms");
        let compile = call(&self.compile, most.compile, "compile.fuel", "compile.deadline_ms");
        let target = call(&self.target, most.target, "target.fuel", "target.deadline_ms");
        let others = [
            ("evaluate_deadline_ms", self.evaluate_deadline_ms, most.evaluate_deadline_ms),
            ("memory_bytes", self.memory_bytes as u64, most.memory_bytes as u64),
            ("output_bytes", self.output_bytes as u64, most.output_bytes as u64),
            ("table_elements", self.table_elements as u64, most.table_elements as u64),
            ("memories", self.memories.into(), most.memories.into()),
            ("tables", self.tables.into(), most.tables.into()),
            ("core_instances", self.core_instances.into(), most.core_instances.into()),
            ("exchanges", self.exchanges.into(), most.exchanges.into()),
        ];
        let all = condition.into_iter().chain(compile).chain(target).chain(others);
        all.into_iter()
            .find(|(_, value, ceiling)| *value == 0 || value > ceiling)
            .map(|(name, _, ceiling)| (name, ceiling))
    }
}

/// Compiling one condition, and everything that is done for one event, may take
/// so many times what evaluating may, also when an operator says what that is.
const WIDER: u64 = 5;

/// One limit of a plugin, as it is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecidedLimit {
    /// As in [`PluginLimits`].
    pub name: &'static str,
    /// In the limit's own unit. For a condition language: of evaluating.
    pub value: u64,
    /// Whose number was the smallest.
    pub decided_by: LimitSource,
}

/// Who decided a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitSource {
    /// The plugin, which asks for less than it could have.
    Manifest,
    /// The operator, for this plugin.
    Operator,
    /// The operator, for all plugins; or the host, where nobody says.
    Default,
    /// The host: no operator can grant more.
    Ceiling,
}

impl LimitSource {
    /// In one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Operator => "operator",
            Self::Default => "default",
            Self::Ceiling => "ceiling",
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            condition: CallLimits { fuel: 20_000_000, deadline_ms: 50 },
            compile: CallLimits { fuel: 100_000_000, deadline_ms: 250 },
            target: CallLimits { fuel: 200_000_000, deadline_ms: 500 },
            evaluate_deadline_ms: 250,
            memory_bytes: 64 << 20,
            output_bytes: 1 << 20,
            table_elements: 20_000,
            memories: 4,
            tables: 8,
            core_instances: 48,
            exchanges: 8,
        }
    }
}

fn smaller(granted: u64, asked: Option<u64>) -> u64 {
    asked.map_or(granted, |asked| asked.min(granted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_gets_the_smaller_of_what_it_asks_and_what_is_granted() {
        let asked = PluginLimits {
            fuel: Some(5),
            deadline_ms: Some(u64::MAX),
            memory_bytes: Some(1 << 16),
            output_bytes: None,
            exchanges: Some(2),
        };
        let granted = Limits::default();
        let has = granted.for_plugin(Kind::Target, &asked, &PluginLimits::default());
        assert_eq!(has.target, CallLimits { fuel: 5, deadline_ms: granted.target.deadline_ms });
        assert_eq!(has.condition, granted.condition);
        assert_eq!((has.memory_bytes, has.output_bytes), (1 << 16, granted.output_bytes));
        assert_eq!(has.exchanges, 2);
    }

    #[test]
    fn what_an_operator_grants_takes_the_place_of_the_default_and_never_passes_the_ceiling() {
        use LimitSource::{Ceiling, Default as Host, Manifest, Operator};

        let asked = PluginLimits { memory_bytes: Some(1 << 20), ..PluginLimits::default() };
        let granted = PluginLimits {
            fuel: Some(7),
            deadline_ms: Some(u64::MAX),
            memory_bytes: Some(1 << 30),
            ..PluginLimits::default()
        };
        let decided = Limits::default().decide(Kind::Target, &asked, &granted);
        let who = decided.map(|limit| (limit.value, limit.decided_by));
        let most = Limits::CEILING.target.deadline_ms;
        let output = Limits::default().output_bytes as u64;
        assert_eq!(
            who,
            [(7, Operator), (most, Ceiling), (1 << 20, Manifest), (output, Host), (8, Host)]
        );
        let has = Limits::default().for_plugin(Kind::Target, &asked, &granted);
        assert_eq!(has.target, CallLimits { fuel: 7, deadline_ms: most });
    }

    #[test]
    fn a_condition_language_that_is_granted_more_may_take_more_to_compile_too() {
        let granted = PluginLimits { deadline_ms: Some(100), ..PluginLimits::default() };
        let host = Limits::default();
        let has = host.for_plugin(Kind::Condition, &PluginLimits::default(), &granted);
        assert_eq!((has.condition.deadline_ms, has.compile.deadline_ms), (100, 500));
        assert_eq!((has.evaluate_deadline_ms, has.compile.fuel), (500, host.compile.fuel));
        assert_eq!(has.target, host.target);
    }

    #[test]
    fn nothing_above_the_ceiling_and_no_zero_is_granted() {
        assert_eq!(Limits::default().out_of_range(), None);
        assert_eq!(Limits::CEILING.out_of_range(), None);
        let greedy = Limits { memory_bytes: usize::MAX, ..Limits::default() };
        assert_eq!(greedy.out_of_range().map(|(name, _)| name), Some("memory_bytes"));
        let idle = Limits { exchanges: 0, ..Limits::default() };
        assert_eq!(idle.out_of_range().map(|(name, _)| name), Some("exchanges"));
    }
}
