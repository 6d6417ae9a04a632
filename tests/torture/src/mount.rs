//! The kernel's face of a [`Disk`]: mounts it as a folder by FUSE. What is kept
//! and what is lost is the disk's business.
//!
//! The kernel keeps pages of it, as it does for a disk, and hands every `write` on
//! at once. So SQLite's shared memory can be mapped, and what the disk knows as
//! written is what was written when the power goes.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use alerts_outside::Outcome;
use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags,
    Generation, INodeNo, LockOwner, MountOption, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate,
    ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request,
    SessionACL, TimeOrNow, WriteFlags,
};
use rand::rngs::StdRng;

use crate::disk::{About, Disk, Refusal};
use crate::kept::Kept;

/// How long the kernel may rely on what it was told: nobody else changes the disk.
const VALID: Duration = Duration::from_secs(60);

/// What the kernel mounts such file systems with.
const DEVICE: &str = "/dev/fuse";

/// A mounted disk. Dropped, it is unmounted.
pub(crate) struct Mounted {
    // Before the folder, which can only be removed when nothing is mounted there.
    session: Option<BackgroundSession>,
    folder: tempfile::TempDir,
    disk: Arc<Mutex<Disk>>,
}

impl Mounted {
    /// An empty disk. Where nothing can be mounted, the error says why and what to do.
    pub(crate) fn new() -> Outcome<Self> {
        let device = std::fs::OpenOptions::new().read(true).write(true).open(DEVICE);
        device
            .map_err(|error| format!("{DEVICE}, which power cuts need, cannot be used: {error}"))?;
        let folder = tempfile::tempdir()?;
        let mut mounted = Self { session: None, folder, disk: Arc::new(Mutex::new(Disk::new())) };
        mounted.mount()?;
        Ok(mounted)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The disk, for what only its owner can do.
    pub(crate) fn disk(&self) -> MutexGuard<'_, Disk> {
        lock(&self.disk)
    }

    /// The power is back. Nobody may have anything open on it any more.
    pub(crate) fn power_on(&mut self, kept: Kept, chance: &mut StdRng) -> Outcome {
        // The kernel's pages go with the mount, as those of a machine do.
        if let Some(session) = self.session.take() {
            // Ends when the last file is closed, which a killed process does in a while.
            if self.detach() { session.join()? } else { session.umount_and_join()? }
        }
        self.disk().power_on(kept, chance);
        self.mount()
    }

    /// Takes it out of sight at once, whoever has files open there. Only root can.
    fn detach(&self) -> bool {
        let mut umount = std::process::Command::new("umount");
        umount.arg("--lazy").arg(self.folder.path());
        umount.output().is_ok_and(|output| output.status.success())
    }

    fn mount(&mut self) -> Outcome {
        let mut config = Config::default();
        config.acl = SessionACL::Owner;
        config.mount_options = vec![
            MountOption::FSName("forgetful".to_owned()),
            MountOption::DefaultPermissions,
            MountOption::NoAtime,
        ];
        let face = Face { disk: self.disk.clone() };
        let mounted = fuser::spawn_mount(face, self.folder.path(), &config);
        let session = mounted.map_err(|error| {
            format!(
                "cannot mount: {error}. Root can; others need Debian's package fuse3 (`fusermount3`)"
            )
        })?;
        self.session = Some(session);
        Ok(())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // What is still open there is that of a host which is being killed.
        if self.session.is_some() {
            self.detach();
        }
    }
}

fn lock(disk: &Mutex<Disk>) -> MutexGuard<'_, Disk> {
    disk.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Answers the kernel.
struct Face {
    disk: Arc<Mutex<Disk>>,
}

impl Face {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        lock(&self.disk)
    }
}

impl From<Refusal> for Errno {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Absent => Self::ENOENT,
            Refusal::Exists => Self::EEXIST,
            Refusal::NotEmpty => Self::ENOTEMPTY,
            Refusal::IsFolder => Self::EISDIR,
            Refusal::NotFolder => Self::ENOTDIR,
            Refusal::PowerIsOff => Self::EIO,
        }
    }
}

fn attributes(about: About) -> FileAttr {
    let at = about.changed_at;
    FileAttr {
        ino: INodeNo(about.node),
        size: about.bytes,
        blocks: about.bytes.div_ceil(crate::contents::SECTOR),
        atime: at,
        mtime: at,
        ctime: at,
        crtime: at,
        kind: if about.is_folder { FileType::Directory } else { FileType::RegularFile },
        perm: about.mode & 0o7777,
        nlink: about.links,
        // Whoever runs this is its only user.
        uid: nobody_else().0,
        gid: nobody_else().1,
        rdev: 0,
        blksize: 4096,
        flags: 0,
    }
}

/// The user and the group of this process.
fn nobody_else() -> (u32, u32) {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").map_or((0, 0), |about| (about.uid(), about.gid()))
}

impl Filesystem for Face {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let disk = self.disk();
        match disk.find(parent.0, name).and_then(|node| disk.about(node)) {
            Ok(about) => reply.entry(&VALID, &attributes(about), Generation(0)),
            Err(refusal) => reply.error(refusal.into()),
        }
    }

    fn getattr(&self, _: &Request, node: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.disk().about(node.0) {
            Ok(about) => reply.attr(&VALID, &attributes(about)),
            Err(refusal) => reply.error(refusal.into()),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        node: INodeNo,
        mode: Option<u32>,
        _uid: Option<u32>,
        _gid: Option<u32>,
        size: Option<u64>,
        _atime: Option<TimeOrNow>,
        _mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        _handle: Option<FileHandle>,
        _created: Option<SystemTime>,
        _changed: Option<SystemTime>,
        _backed_up: Option<SystemTime>,
        _flags: Option<fuser::BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut disk = self.disk();
        let mut change = || {
            if let Some(mode) = mode {
                disk.set_mode(node.0, (mode & 0o7777) as u16)?;
            }
            if let Some(size) = size {
                disk.set_length(node.0, size)?;
            }
            disk.about(node.0)
        };
        match change() {
            Ok(about) => reply.attr(&VALID, &attributes(about)),
            Err(refusal) => reply.error(refusal.into()),
        }
    }

    fn mkdir(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        reply: ReplyEntry,
    ) {
        let mut disk = self.disk();
        let made = disk.make_folder(parent.0, name, (mode & !umask) as u16);
        match made.and_then(|node| disk.about(node)) {
            Ok(about) => reply.entry(&VALID, &attributes(about), Generation(0)),
            Err(refusal) => reply.error(refusal.into()),
        }
    }

    fn create(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _flags: i32,
        reply: ReplyCreate,
    ) {
        let mut disk = self.disk();
        let made = disk.make_file(parent.0, name, (mode & !umask) as u16);
        match made.and_then(|node| disk.about(node)) {
            Ok(about) => reply.created(
                &VALID,
                &attributes(about),
                Generation(0),
                FileHandle(0),
                FopenFlags::empty(),
            ),
            Err(refusal) => reply.error(refusal.into()),
        }
    }

    fn link(&self, _: &Request, node: INodeNo, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let mut disk = self.disk();
        let linked = disk.link(node.0, parent.0, name);
        match linked.and_then(|()| disk.about(node.0)) {
            Ok(about) => reply.entry(&VALID, &attributes(about), Generation(0)),
            Err(refusal) => reply.error(refusal.into()),
        }
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        done(self.disk().remove(parent.0, name), reply);
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        done(self.disk().remove(parent.0, name), reply);
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        to_parent: INodeNo,
        to_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        if !flags.is_empty() {
            // Neither exchanged nor only if absent: programs have another way then.
            return reply.error(Errno::EINVAL);
        }
        done(self.disk().rename((parent.0, name), (to_parent.0, to_name)), reply);
    }

    fn open(&self, _: &Request, node: INodeNo, _flags: OpenFlags, reply: ReplyOpen) {
        match self.disk().about(node.0) {
            Ok(_) => reply.opened(FileHandle(0), FopenFlags::empty()),
            Err(refusal) => reply.error(refusal.into()),
        }
    }

    fn read(
        &self,
        _: &Request,
        node: INodeNo,
        _handle: FileHandle,
        at: u64,
        count: u32,
        _flags: OpenFlags,
        _lock_owner: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.disk().read(node.0, at, count.into()) {
            Ok(bytes) => reply.data(bytes),
            Err(refusal) => reply.error(refusal.into()),
        }
    }

    fn write(
        &self,
        _: &Request,
        node: INodeNo,
        _handle: FileHandle,
        at: u64,
        bytes: &[u8],
        _write_flags: WriteFlags,
        _flags: OpenFlags,
        _lock_owner: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match self.disk().write(node.0, at, bytes) {
            // The kernel sends 16 MiB at most.
            Ok(()) => reply.written(bytes.len() as u32),
            Err(refusal) => reply.error(refusal.into()),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        // Closing a file makes nothing safe.
        reply.ok();
    }

    fn fsync(&self, _: &Request, node: INodeNo, _: FileHandle, _data: bool, reply: ReplyEmpty) {
        done(self.disk().sync_file(node.0), reply);
    }

    fn fsyncdir(&self, _: &Request, node: INodeNo, _: FileHandle, _data: bool, reply: ReplyEmpty) {
        done(self.disk().sync_folder(node.0), reply);
    }

    fn readdir(
        &self,
        _: &Request,
        folder: INodeNo,
        _handle: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let disk = self.disk();
        let names = match disk.names(folder.0) {
            Ok(names) => names,
            Err(refusal) => return reply.error(refusal.into()),
        };
        let own = [(OsStr::new("."), folder.0), (OsStr::new(".."), folder.0)];
        let all = own.into_iter().chain(names.iter().map(|(name, node)| (name.as_os_str(), *node)));
        for (next, (name, node)) in (1..).zip(all).skip(offset as usize) {
            let is_folder = disk.about(node).is_ok_and(|about| about.is_folder);
            let kind = if is_folder { FileType::Directory } else { FileType::RegularFile };
            if reply.add(INodeNo(node), next, kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        // Room enough for whoever asks before it writes: 16 GiB.
        let (blocks, files) = (4 << 20, 1 << 20);
        reply.statfs(blocks, blocks, blocks, files, files, 4096, 255, 4096);
    }
}

fn done(outcome: Result<(), Refusal>, reply: ReplyEmpty) {
    match outcome {
        Ok(()) => reply.ok(),
        Err(refusal) => reply.error(refusal.into()),
    }
}

#[cfg(test)]
mod tests;
