//! Half of the targets have names whose servers do not answer: what the healthy ones
//! still get. The host is the released one; it finds another `/etc/resolv.conf`, in a
//! mount namespace of its own, which takes root to make.

use std::path::Path;

use tokio::net::{TcpListener, UdpSocket};
use tokio::process::Command;

use crate::Outcome;
use crate::holes::{Healthy, TARGETS};
use crate::host::{self, Host, folder, free_address};
use crate::report::Report;

/// Where name servers are asked for. Loopback has room for one of our own.
const SERVER: &str = "127.0.0.253";

pub(crate) async fn measure(rate: f64, report: &mut Report) -> Outcome {
    // They take what they get and never answer.
    let (datagrams, connections) =
        (UdpSocket::bind((SERVER, 53)).await, TcpListener::bind((SERVER, 53)).await);
    let (Ok(_datagrams), Ok(_connections)) = (datagrams, connections) else {
        println!("bench: no dead name servers: only root can be one, at {SERVER} port 53");
        return Ok(());
    };
    let names: Vec<String> =
        (0..TARGETS).map(|number| format!("hook-{number}.example.com")).collect();
    let without = run(&[], rate).await?;
    run(&names, rate).await?.report("dead names", &without, report);
    Ok(())
}

async fn run(others: &[String], rate: f64) -> Outcome<Healthy> {
    let (folder, address) = (folder()?, free_address()?);
    let command = without_names(folder.path(), &address)?;
    let host = Host::run(command, address).await?;
    Healthy::on(&host, others, rate).await
}

/// A host that asks our servers.
fn without_names(folder: &Path, address: &str) -> Outcome<Command> {
    let settings = folder.join("resolv.conf");
    std::fs::write(&settings, format!("nameserver {SERVER}\n"))?;
    let host = host::command(folder, address)?;
    let host = host.as_std();
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c", r#"mount --bind "$0" /etc/resolv.conf && exec "$@""#])
        .arg(&settings)
        .arg(host.get_program())
        .args(host.get_args())
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .process_group(0)
        .kill_on_drop(true);
    for (name, value) in host.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    Ok(command)
}
