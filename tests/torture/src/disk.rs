//! A disk that forgets: what was not synced when the power goes is lost, kept or
//! torn, as chance has it. Holds files and folders in memory; that a kernel can
//! mount it is `mount`'s business.
//!
//! It promises what POSIX promises and nothing more. Contents are safe after an
//! `fsync` of their file, names after one of their folder. File systems in use keep
//! more than that, so a program that loses nothing here loses nothing on them.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::time::SystemTime;

use rand::RngExt as _;
use rand::rngs::StdRng;

use crate::contents::Contents;
use crate::kept::Kept;

/// A file or a folder, for as long as the disk is there.
pub(crate) type Node = u64;

/// The folder that everything is in.
pub(crate) const ROOT: Node = 1;

/// Why something cannot be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Absent,
    Exists,
    NotEmpty,
    IsFolder,
    NotFolder,
    /// The power is off: nothing is done, and nothing is called done.
    PowerIsOff,
}

type Answer<T = ()> = Result<T, Refusal>;

/// What a file or a folder is from outside.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About {
    pub(crate) node: Node,
    pub(crate) is_folder: bool,
    pub(crate) bytes: u64,
    pub(crate) mode: u16,
    pub(crate) links: u32,
    pub(crate) changed_at: SystemTime,
}

/// Files and folders, as programs see them and as the platter has them.
#[derive(Debug)]
pub(crate) struct Disk {
    nodes: HashMap<Node, Entry>,
    next: Node,
    /// Changes of names that no `fsync` has made safe, oldest first.
    unsafe_names: Vec<NameChange>,
    is_off: bool,
    sync_lies: bool,
}

#[derive(Debug)]
struct Entry {
    /// Safe at once: neither the mode nor the times are what is tried here.
    mode: u16,
    changed_at: SystemTime,
    links: u32,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    File(Contents),
    Folder { names: Names, safe: Names },
}

type Names = BTreeMap<OsString, Node>;

/// One change of the names in one folder, or in two.
#[derive(Debug, Clone)]
enum NameChange {
    Given {
        folder: Node,
        name: OsString,
        node: Node,
    },
    Taken {
        folder: Node,
        name: OsString,
    },
    /// Whole or not at all, as `rename` promises.
    Moved {
        from: (Node, OsString),
        to: (Node, OsString),
        node: Node,
    },
}

impl NameChange {
    fn touches(&self, of: Node) -> bool {
        match self {
            Self::Given { folder, .. } | Self::Taken { folder, .. } => *folder == of,
            Self::Moved { from, to, .. } => from.0 == of || to.0 == of,
        }
    }

    fn is_across_folders(&self) -> bool {
        matches!(self, Self::Moved { from, to, .. } if from.0 != to.0)
    }
}

impl Disk {
    pub(crate) fn new() -> Self {
        let root = Entry::new(0o700, Kind::Folder { names: Names::new(), safe: Names::new() });
        Self {
            nodes: HashMap::from([(ROOT, root)]),
            next: ROOT + 1,
            unsafe_names: Vec::new(),
            is_off: false,
            sync_lies: false,
        }
    }

    /// From now on `fsync` is answered and does nothing, or works.
    pub(crate) fn set_sync_lies(&mut self, lies: bool) {
        self.sync_lies = lies;
    }

    /// The moment of the cut: from here on nothing reaches the platter.
    pub(crate) fn cut_power(&mut self) {
        self.is_off = true;
    }

    /// What is there when the power is back: all that was synced, and of the rest
    /// what chance has kept.
    pub(crate) fn power_on(&mut self, kept: Kept, chance: &mut StdRng) {
        for change in self.names_kept(kept, chance) {
            self.make_safe(&change);
        }
        self.unsafe_names.clear();
        let mut nodes: Vec<Node> = self.nodes.keys().copied().collect();
        // The same chance for the same files, whatever order a hash map has.
        nodes.sort_unstable();
        for node in nodes {
            match self.nodes.get_mut(&node).map(|entry| &mut entry.kind) {
                Some(Kind::File(contents)) => contents.power_on(kept, chance),
                Some(Kind::Folder { names, safe }) => names.clone_from(safe),
                None => {}
            }
        }
        self.forget_what_has_no_name();
        self.is_off = false;
    }

    fn names_kept(&self, kept: Kept, chance: &mut StdRng) -> Vec<NameChange> {
        if kept == Kept::Nothing {
            return Vec::new();
        }
        let all = &self.unsafe_names;
        match chance.random_range(0..4) {
            0 => Vec::new(),
            1 => all.clone(),
            // A journal that was written up to here.
            2 => all[..chance.random_range(0..=all.len())].to_vec(),
            // Blocks of folders that were written in any order.
            _ => all.iter().filter(|_| chance.random_bool(0.5)).cloned().collect(),
        }
    }

    fn make_safe(&mut self, change: &NameChange) {
        match change {
            NameChange::Given { folder, name, node } => {
                self.safe_names(*folder).insert(name.clone(), *node);
            }
            NameChange::Taken { folder, name } => {
                self.safe_names(*folder).remove(name);
            }
            NameChange::Moved { from, to, node } => {
                self.safe_names(from.0).remove(&from.1);
                self.safe_names(to.0).insert(to.1.clone(), *node);
            }
        }
    }

    fn safe_names(&mut self, folder: Node) -> &mut Names {
        match self.nodes.get_mut(&folder).map(|entry| &mut entry.kind) {
            Some(Kind::Folder { safe, .. }) => safe,
            _ => unreachable!("names change in folders, and no folder is forgotten before a cut"),
        }
    }

    fn forget_what_has_no_name(&mut self) {
        let mut links: HashMap<Node, u32> = HashMap::from([(ROOT, 1)]);
        let mut folders = vec![ROOT];
        while let Some(folder) = folders.pop() {
            let Some(Kind::Folder { names, .. }) = self.nodes.get(&folder).map(|found| &found.kind)
            else {
                continue;
            };
            for node in names.values() {
                *links.entry(*node).or_default() += 1;
                folders.push(*node);
            }
        }
        self.nodes.retain(|node, entry| {
            entry.links = links.get(node).copied().unwrap_or_default();
            entry.links > 0
        });
    }

    fn entry(&self, node: Node) -> Answer<&Entry> {
        if self.is_off {
            return Err(Refusal::PowerIsOff);
        }
        self.nodes.get(&node).ok_or(Refusal::Absent)
    }

    fn entry_mut(&mut self, node: Node) -> Answer<&mut Entry> {
        if self.is_off {
            return Err(Refusal::PowerIsOff);
        }
        self.nodes.get_mut(&node).ok_or(Refusal::Absent)
    }

    /// The names in a folder.
    pub(crate) fn names(&self, folder: Node) -> Answer<&Names> {
        match &self.entry(folder)?.kind {
            Kind::Folder { names, .. } => Ok(names),
            Kind::File(_) => Err(Refusal::NotFolder),
        }
    }

    fn names_mut(&mut self, folder: Node) -> Answer<&mut Names> {
        match &mut self.entry_mut(folder)?.kind {
            Kind::Folder { names, .. } => Ok(names),
            Kind::File(_) => Err(Refusal::NotFolder),
        }
    }

    fn contents(&mut self, file: Node) -> Answer<&mut Contents> {
        let entry = self.entry_mut(file)?;
        match &mut entry.kind {
            Kind::File(contents) => Ok(contents),
            Kind::Folder { .. } => Err(Refusal::IsFolder),
        }
    }

    pub(crate) fn find(&self, folder: Node, name: &OsStr) -> Answer<Node> {
        self.names(folder)?.get(name).copied().ok_or(Refusal::Absent)
    }

    pub(crate) fn about(&self, node: Node) -> Answer<About> {
        let entry = self.entry(node)?;
        let (is_folder, bytes) = match &entry.kind {
            Kind::File(contents) => (false, contents.bytes().len() as u64),
            Kind::Folder { .. } => (true, 0),
        };
        let Entry { mode, changed_at, links, .. } = *entry;
        Ok(About { node, is_folder, bytes, mode, links, changed_at })
    }

    pub(crate) fn make_file(&mut self, folder: Node, name: &OsStr, mode: u16) -> Answer<Node> {
        self.make(folder, name, Entry::new(mode, Kind::File(Contents::default())))
    }

    pub(crate) fn make_folder(&mut self, folder: Node, name: &OsStr, mode: u16) -> Answer<Node> {
        let kind = Kind::Folder { names: Names::new(), safe: Names::new() };
        self.make(folder, name, Entry::new(mode, kind))
    }

    fn make(&mut self, folder: Node, name: &OsStr, entry: Entry) -> Answer<Node> {
        let node = self.next;
        self.give(folder, name, node)?;
        self.nodes.insert(node, entry);
        self.next += 1;
        Ok(node)
    }

    fn give(&mut self, folder: Node, name: &OsStr, node: Node) -> Answer {
        let names = self.names_mut(folder)?;
        if names.contains_key(name) {
            return Err(Refusal::Exists);
        }
        names.insert(name.to_owned(), node);
        self.unsafe_names.push(NameChange::Given { folder, name: name.to_owned(), node });
        Ok(())
    }

    /// Gives a file one more name.
    pub(crate) fn link(&mut self, file: Node, folder: Node, name: &OsStr) -> Answer {
        self.contents(file)?;
        self.give(folder, name, file)?;
        self.entry_mut(file)?.links += 1;
        Ok(())
    }

    /// Takes a name away. What has none left can still be read by who has it open.
    pub(crate) fn remove(&mut self, folder: Node, name: &OsStr) -> Answer {
        let node = self.find(folder, name)?;
        if self.names(node).is_ok_and(|within| !within.is_empty()) {
            return Err(Refusal::NotEmpty);
        }
        self.names_mut(folder)?.remove(name);
        self.lose_link(node)?;
        self.unsafe_names.push(NameChange::Taken { folder, name: name.to_owned() });
        Ok(())
    }

    fn lose_link(&mut self, node: Node) -> Answer {
        let links = &mut self.entry_mut(node)?.links;
        *links = links.saturating_sub(1);
        Ok(())
    }

    pub(crate) fn rename(&mut self, from: (Node, &OsStr), to: (Node, &OsStr)) -> Answer {
        let node = self.find(from.0, from.1)?;
        let replaced = self.find(to.0, to.1).ok();
        if replaced == Some(node) {
            return Ok(());
        }
        self.names_mut(to.0)?.insert(to.1.to_owned(), node);
        self.names_mut(from.0)?.remove(from.1);
        if let Some(replaced) = replaced {
            self.lose_link(replaced)?;
        }
        let place = |(folder, name): (Node, &OsStr)| (folder, name.to_owned());
        self.unsafe_names.push(NameChange::Moved { from: place(from), to: place(to), node });
        Ok(())
    }

    pub(crate) fn set_mode(&mut self, node: Node, mode: u16) -> Answer {
        self.entry_mut(node)?.mode = mode;
        Ok(())
    }

    /// At most `count` bytes from `at` on; fewer at the end.
    pub(crate) fn read(&mut self, file: Node, at: u64, count: u64) -> Answer<&[u8]> {
        let bytes = self.contents(file)?.bytes();
        let end = bytes.len() as u64;
        Ok(&bytes[at.min(end) as usize..at.saturating_add(count).min(end) as usize])
    }

    pub(crate) fn write(&mut self, file: Node, at: u64, bytes: &[u8]) -> Answer {
        self.contents(file)?.write(at, bytes);
        self.entry_mut(file)?.changed_at = SystemTime::now();
        Ok(())
    }

    pub(crate) fn set_length(&mut self, file: Node, bytes: u64) -> Answer {
        self.contents(file)?.set_length(bytes);
        self.entry_mut(file)?.changed_at = SystemTime::now();
        Ok(())
    }

    /// `fsync` of a file: its contents and its length are safe.
    pub(crate) fn sync_file(&mut self, file: Node) -> Answer {
        let lies = self.sync_lies;
        let contents = self.contents(file)?;
        if !lies {
            contents.sync();
        }
        Ok(())
    }

    /// `fsync` of a folder: the names in it are safe.
    pub(crate) fn sync_folder(&mut self, folder: Node) -> Answer {
        self.names(folder)?;
        if self.sync_lies {
            return Ok(());
        }
        let touched = |change: &NameChange| change.touches(folder);
        // What ties two folders together is written with all that came before it.
        let is_tied = |change: &NameChange| touched(change) && change.is_across_folders();
        let everything = self.unsafe_names.iter().any(is_tied);
        let changes = std::mem::take(&mut self.unsafe_names);
        for change in changes {
            if everything || touched(&change) {
                self.make_safe(&change);
            } else {
                self.unsafe_names.push(change);
            }
        }
        Ok(())
    }
}

impl Entry {
    fn new(mode: u16, kind: Kind) -> Self {
        Self { mode, changed_at: SystemTime::now(), links: 1, kind }
    }
}

#[cfg(test)]
mod tests;
