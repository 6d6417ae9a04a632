//! The stand-in as a program: `cargo xtask demo-exosphere`.

#![expect(clippy::print_stdout, reason = "a program for people: its output is its purpose")]

use std::net::SocketAddr;

use alerts_stand_in_exosphere::{KEY, StandIn, play};
use clap::Parser;

/// A stand-in for Exosphere, on which runs start, fail and are retried.
#[derive(Parser)]
struct Cli {
    /// Where it listens.
    #[arg(long, default_value = "127.0.0.1:8017")]
    listen: SocketAddr,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let Cli { listen } = Cli::parse();
    let stand_in = StandIn::start(listen).await?;
    let (url, namespace) = (stand_in.url(), play::NAMESPACE);
    println!("A stand-in for Exosphere serves {url}. To watch it:\n");
    println!("  cargo xtask run -- --exosphere-url {url} --exosphere-key {KEY} \\");
    println!("      --exosphere-namespaces '*'\n");
    println!("and look at the events of the namespace `{namespace}`. Ctrl-C ends it.\n");
    tokio::select! {
        () = play::play(&stand_in, |said| println!("{said}")) => {}
        ended = tokio::signal::ctrl_c() => ended?,
    }
    Ok(())
}
