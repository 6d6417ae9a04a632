use std::fs;
use std::os::unix::fs::FileExt as _;

use rand::SeedableRng as _;

use super::*;

/// Says why it is passed over where nothing can be mounted.
fn mounted() -> Option<Mounted> {
    Mounted::new().inspect_err(|error| println!("passed over: {error}")).ok()
}

#[test]
fn a_program_finds_after_a_cut_what_it_synced_and_not_what_it_did_not() {
    let Some(mut mounted) = mounted() else { return };
    let folder = mounted.path().join("data");
    fs::create_dir(&folder).unwrap();
    fs::File::open(mounted.path()).unwrap().sync_all().unwrap();
    let file = fs::File::create(folder.join("safe")).unwrap();
    file.write_all_at(b"safe", 0).unwrap();
    file.sync_all().unwrap();
    fs::File::open(&folder).unwrap().sync_all().unwrap();
    file.write_all_at(b"lost", 0).unwrap();
    fs::write(folder.join("lost"), b"lost").unwrap();
    mounted.disk().cut_power();
    assert!(file.sync_all().is_err());
    assert!(fs::File::create(folder.join("late")).is_err());
    drop(file);
    mounted.power_on(Kept::Nothing, &mut StdRng::seed_from_u64(1)).unwrap();
    assert_eq!(fs::read(folder.join("safe")).unwrap(), b"safe");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
fn files_are_renamed_linked_cut_and_removed_as_on_any_disk() {
    let Some(mounted) = mounted() else { return };
    let at = |name: &str| mounted.path().join(name);
    fs::write(at("a"), b"0123456789").unwrap();
    fs::rename(at("a"), at("b")).unwrap();
    fs::hard_link(at("b"), at("c")).unwrap();
    assert!(fs::hard_link(at("b"), at("c")).is_err());
    fs::remove_file(at("b")).unwrap();
    fs::OpenOptions::new().write(true).open(at("c")).unwrap().set_len(4).unwrap();
    assert_eq!(fs::read(at("c")).unwrap(), b"0123");
    fs::create_dir(at("d")).unwrap();
    fs::write(at("d").join("e"), b"").unwrap();
    assert!(fs::remove_dir(at("d")).is_err());
    let names: Vec<_> =
        fs::read_dir(mounted.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["c", "d"]);
}
