//! The hosts: started, killed, and started again.

use std::sync::Arc;

use alerts_domain::address::AddressRules;
use alerts_domain::keyring::Keyring;
use alerts_engine::{
    Engine, EngineConfig, EngineError, EngineParts, Entropy, PluginSource, Plugins,
};
use alerts_sandbox::{Plugin, Sandbox};
use alerts_store::Store;

use crate::faults::Outage;
use crate::run::Run;

/// What all runs of a process share.
pub(crate) struct Ground {
    pub(crate) sandbox: Sandbox,
    pub(crate) target: Arc<Plugin>,
    pub(crate) language: Arc<Plugin>,
}

pub(crate) struct Host {
    engine: Engine,
    plugins: Plugins,
    has_language: bool,
    /// Which one it is among all of the run.
    number: usize,
}

impl Run<'_> {
    /// A host, made anew; an error where the database refuses its first heartbeat.
    pub(crate) async fn new_host(
        &mut self,
        place: usize,
        has_language: bool,
    ) -> Result<Host, EngineError> {
        let plugins = Plugins::default();
        plugins.insert(PluginSource::BuiltIn, self.ground.target.clone());
        if has_language {
            plugins.insert(PluginSource::BuiltIn, self.ground.language.clone());
        }
        self.places.push(place);
        let number = self.places.len();
        let config = EngineConfig {
            addresses: AddressRules::new(vec!["127.0.0.0/8".parse().unwrap()]),
            transport: Some(self.world.transport(number)),
            ..EngineConfig::default()
        };
        let key: [u8; 32] = std::array::from_fn(|index| index as u8);
        let entropy = Entropy::from_seed(self.seed.wrapping_mul(64) + number as u64);
        // A file has one user, which all hosts of a run share.
        let store = match self.database.is_shared() {
            true => Store::open(self.database.url()).await?,
            false => self.store.clone(),
        };
        let engine = Engine::start_driven(EngineParts {
            config,
            store,
            sandbox: self.ground.sandbox.clone(),
            plugins: plugins.clone(),
            keyring: Keyring::parse(&Keyring::generate("test", key)).unwrap(),
            clock: self.world.clock(),
            entropy,
        });
        Ok(Host { engine: engine.await?, plugins, has_language, number })
    }

    pub(crate) fn engine(&self, host: usize) -> Engine {
        self.hosts[host].as_ref().unwrap().engine.clone()
    }

    pub(crate) fn has_language(&self, host: usize) -> bool {
        self.hosts[host].as_ref().unwrap().has_language
    }

    pub(crate) fn number(&self, host: usize) -> usize {
        self.hosts[host].as_ref().unwrap().number
    }

    /// The place of a host that lives or lived.
    pub(crate) fn place(&self, number: usize) -> usize {
        self.places[number - 1]
    }

    /// Whether a host lives, by its number.
    pub(crate) fn is_living(&self, number: usize) -> bool {
        self.hosts.iter().flatten().any(|host| host.number == number)
    }

    /// The places where a host lives.
    pub(crate) fn living(&self) -> Vec<usize> {
        (0..self.hosts.len()).filter(|host| self.hosts[*host].is_some()).collect()
    }

    pub(crate) fn any_living(&mut self) -> Option<usize> {
        let living = self.living();
        (!living.is_empty()).then(|| self.random.pick(&living))
    }

    pub(crate) fn crash(&mut self, host: usize) {
        self.world.bury(self.number(host));
        self.hosts[host] = None;
        self.crashes += 1;
    }

    /// A host takes the place of a dead one, unless the database keeps it from it.
    pub(crate) async fn restart(&mut self, host: usize, has_language: bool) {
        match self.new_host(host, has_language).await {
            Ok(made) => {
                self.hosts[host] = Some(made);
                self.held_up.remove(&host);
                self.tell_again(host).await;
            }
            Err(error) => {
                self.is_outage(&error, |outage| outage.stops_all() || outage == Outage::Heartbeats);
                self.note(format!("  host {host} does not start: {error}"));
                self.held_up.insert(host, has_language);
            }
        }
    }

    pub(crate) fn mend_language(&mut self) {
        for host in self.hosts.iter_mut().flatten() {
            host.plugins.insert(PluginSource::BuiltIn, self.ground.language.clone());
            host.has_language = true;
        }
    }
}
