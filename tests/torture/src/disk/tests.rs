use std::collections::BTreeSet;

use rand::SeedableRng as _;

use super::*;

const SEEDS: u64 = 200;

/// The names in the root after a cut, for each seed, with what the files hold.
fn outcomes(kept: Kept, change: impl Fn(&mut Disk)) -> BTreeSet<Vec<(String, String)>> {
    (0..SEEDS)
        .map(|seed| {
            let mut disk = Disk::new();
            change(&mut disk);
            disk.cut_power();
            disk.power_on(kept, &mut StdRng::seed_from_u64(seed));
            let names = disk.names(ROOT).unwrap().clone();
            let read = |(name, node): (OsString, Node)| {
                let bytes = disk.read(node, 0, 1024).unwrap();
                (name.into_string().unwrap(), String::from_utf8(bytes.to_vec()).unwrap())
            };
            names.into_iter().map(read).collect()
        })
        .collect()
}

fn expected(outcomes: &[&[(&str, &str)]]) -> BTreeSet<Vec<(String, String)>> {
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    outcomes.iter().map(|files| files.iter().map(owned).collect()).collect()
}

fn name(text: &str) -> &OsStr {
    OsStr::new(text)
}

/// A file whose contents are safe, and whose name is not.
fn synced_file(disk: &mut Disk, named: &str, text: &str) -> Node {
    let file = disk.make_file(ROOT, name(named), 0o600).unwrap();
    disk.write(file, 0, text.as_bytes()).unwrap();
    disk.sync_file(file).unwrap();
    file
}

#[test]
fn a_synced_file_in_a_folder_that_was_not_can_be_gone() {
    let found = outcomes(Kept::ByChance, |disk| {
        synced_file(disk, "a", "text");
    });
    assert_eq!(found, expected(&[&[], &[("a", "text")]]));
    let found = outcomes(Kept::ByChance, |disk| {
        synced_file(disk, "a", "text");
        disk.sync_folder(ROOT).unwrap();
    });
    assert_eq!(found, expected(&[&[("a", "text")]]));
}

#[test]
fn a_name_without_a_synced_file_can_be_an_empty_one() {
    let found = outcomes(Kept::ByChance, |disk| {
        let file = disk.make_file(ROOT, name("a"), 0o600).unwrap();
        disk.write(file, 0, b"text").unwrap();
        disk.sync_folder(ROOT).unwrap();
    });
    assert!(found.is_superset(&expected(&[&[("a", "")], &[("a", "text")]])), "{found:?}");
}

#[test]
fn a_rename_is_whole_or_not_at_all() {
    let found = outcomes(Kept::ByChance, |disk| {
        synced_file(disk, "a", "old");
        synced_file(disk, "b", "new");
        disk.sync_folder(ROOT).unwrap();
        disk.rename((ROOT, name("b")), (ROOT, name("a"))).unwrap();
    });
    assert_eq!(found, expected(&[&[("a", "old"), ("b", "new")], &[("a", "new")]]));
}

#[test]
fn a_removed_file_can_be_back_until_its_folder_is_synced() {
    let remove = |disk: &mut Disk| {
        synced_file(disk, "a", "text");
        disk.sync_folder(ROOT).unwrap();
        disk.remove(ROOT, name("a")).unwrap();
    };
    let found = outcomes(Kept::ByChance, remove);
    assert_eq!(found, expected(&[&[], &[("a", "text")]]));
    let found = outcomes(Kept::ByChance, |disk| {
        remove(disk);
        disk.sync_folder(ROOT).unwrap();
    });
    assert_eq!(found, expected(&[&[]]));
}

#[test]
fn a_second_name_keeps_a_file_whose_first_is_removed() {
    let found = outcomes(Kept::Nothing, |disk| {
        let file = synced_file(disk, "a", "text");
        disk.link(file, ROOT, name("b")).unwrap();
        disk.remove(ROOT, name("a")).unwrap();
        disk.sync_folder(ROOT).unwrap();
    });
    assert_eq!(found, expected(&[&[("b", "text")]]));
}

#[test]
fn a_move_between_folders_is_made_safe_by_a_sync_of_either() {
    for synced in ["from", "to"] {
        let mut disk = Disk::new();
        let from = disk.make_folder(ROOT, name("from"), 0o700).unwrap();
        let to = disk.make_folder(ROOT, name("to"), 0o700).unwrap();
        disk.sync_folder(ROOT).unwrap();
        disk.make_file(from, name("a"), 0o600).unwrap();
        disk.rename((from, name("a")), (to, name("b"))).unwrap();
        let folder = disk.find(ROOT, name(synced)).unwrap();
        disk.sync_folder(folder).unwrap();
        disk.cut_power();
        disk.power_on(Kept::Nothing, &mut StdRng::seed_from_u64(1));
        assert!(disk.names(from).unwrap().is_empty());
        assert!(disk.find(to, name("b")).is_ok());
    }
}

#[test]
fn a_sync_that_lies_keeps_nothing() {
    let found = outcomes(Kept::Nothing, |disk| {
        disk.set_sync_lies(true);
        synced_file(disk, "a", "text");
        disk.sync_folder(ROOT).unwrap();
    });
    assert_eq!(found, expected(&[&[]]));
}

#[test]
fn without_power_nothing_is_done_and_nothing_is_called_done() {
    let mut disk = Disk::new();
    let file = synced_file(&mut disk, "a", "old");
    disk.sync_folder(ROOT).unwrap();
    disk.cut_power();
    let off = Refusal::PowerIsOff;
    assert_eq!(disk.write(file, 0, b"new"), Err(off));
    assert_eq!(disk.sync_file(file), Err(off));
    assert_eq!(disk.sync_folder(ROOT), Err(off));
    assert_eq!(disk.remove(ROOT, name("a")), Err(off));
    assert_eq!(disk.make_file(ROOT, name("b"), 0o600), Err(off));
    disk.power_on(Kept::ByChance, &mut StdRng::seed_from_u64(1));
    assert_eq!(disk.read(file, 0, 10).unwrap(), b"old");
    assert_eq!(disk.names(ROOT).unwrap().len(), 1);
}
