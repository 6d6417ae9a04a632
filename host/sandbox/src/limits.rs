//! What one call may use: the host's ceilings, what the operator grants, and
//! the smallest of these and what a plugin asks for.

use alerts_package::{Kind, RequestedLimits};

/// Fuel and time of one call. Fuel is what makes a verdict the same on every
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

    /// The limits of a plugin that asks for these.
    #[must_use]
    pub(crate) fn for_plugin(mut self, kind: Kind, asked: &RequestedLimits) -> Self {
        let calls: &mut [&mut CallLimits] = match kind {
            Kind::Condition => &mut [&mut self.condition, &mut self.compile],
            Kind::Target => &mut [&mut self.target],
        };
        for call in calls {
            call.fuel = smaller(call.fuel, asked.fuel);
            call.deadline_ms = smaller(call.deadline_ms, asked.deadline_ms);
        }
        self.memory_bytes = smaller_size(self.memory_bytes, asked.memory_bytes);
        self.output_bytes = smaller_size(self.output_bytes, asked.output_bytes);
        self.exchanges = asked.exchanges.map_or(self.exchanges, |asked| asked.min(self.exchanges));
        self
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

fn smaller_size(granted: usize, asked: Option<u64>) -> usize {
    asked.and_then(|asked| usize::try_from(asked).ok()).map_or(granted, |asked| asked.min(granted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_gets_the_smaller_of_what_it_asks_and_what_is_granted() {
        let asked = RequestedLimits {
            fuel: Some(5),
            deadline_ms: Some(u64::MAX),
            memory_bytes: Some(1 << 16),
            output_bytes: None,
            exchanges: Some(2),
        };
        let granted = Limits::default();
        let has = granted.for_plugin(Kind::Target, &asked);
        assert_eq!(has.target, CallLimits { fuel: 5, deadline_ms: granted.target.deadline_ms });
        assert_eq!(has.condition, granted.condition);
        assert_eq!((has.memory_bytes, has.output_bytes), (1 << 16, granted.output_bytes));
        assert_eq!(has.exchanges, 2);
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
