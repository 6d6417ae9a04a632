//! Attacks by connections: what is held and never used, and what is asked for and
//! never read.

use std::time::Duration;

use alerts_outside::Outcome;
use alerts_outside::events::failed_run;
use alerts_outside::host::KEY;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::attacker::Attacker;

/// More connections than a process may have files by default. A third says nothing,
/// a third says one letter, a third is half of HTTP/2's greeting.
pub(super) async fn idle(attacker: Attacker) -> Outcome {
    const CONNECTIONS: usize = 1_100;
    const GREETINGS: [&[u8]; 3] = [b"", b"P", b"PRI * HTTP/2.0\r\n"];
    let mut held = JoinSet::new();
    for number in 0..CONNECTIONS {
        let attacker = attacker.clone();
        held.spawn(async move {
            loop {
                let hold = async {
                    let mut stream = TcpStream::connect(&*attacker.address).await?;
                    stream.write_all(GREETINGS[number % GREETINGS.len()]).await?;
                    // Until the host has had enough of it.
                    stream.read(&mut [0; 64]).await
                };
                attacker.note(hold.await.is_ok());
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
    }
    // They go on until they are stopped from outside; one that ends has failed.
    if let Some(ended) = held.join_next().await {
        ended?;
    }
    Ok(())
}

/// Viewers that ask for the largest page there is, of events as large as they may be
/// made cheaply, and do not read it.
pub(super) async fn viewers_that_do_not_read(attacker: Attacker) -> Outcome {
    const VIEWERS: usize = 12;
    const EVENTS: usize = 200;
    const BYTES: usize = 250_000;
    /// How long they hold what they asked for.
    const HELD: Duration = Duration::from_secs(120);
    let long = "x".repeat(BYTES);
    for number in 0..EVENTS {
        let event = failed_run(number, "workflow.failed");
        attacker.event(event.replace("\"note\":\"", &format!("\"note\":\"{long}"))).await;
    }
    let mut viewers = JoinSet::new();
    for _ in 0..VIEWERS {
        let attacker = attacker.clone();
        viewers.spawn(async move {
            let request = format!(
                "GET /v1/events?limit={EVENTS} HTTP/1.1\r\nhost: x\r\nx-api-key: {KEY}\r\n\
                 x-exosphere-namespace: {}\r\n\r\n",
                attacker.tenant
            );
            loop {
                let ask = async {
                    let mut stream = TcpStream::connect(&*attacker.address).await?;
                    stream.write_all(request.as_bytes()).await?;
                    // The head, so that the answer has begun, and no more.
                    stream.read_exact(&mut [0; 64]).await?;
                    tokio::time::sleep(HELD).await;
                    std::io::Result::Ok(())
                };
                attacker.note(ask.await.is_ok());
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
    }
    if let Some(ended) = viewers.join_next().await {
        ended?;
    }
    Ok(())
}
