//! Host names: looked up by name servers that stand on this machine, one of which
//! never answers.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use alerts_domain::address::AddressRules;
use alerts_domain::exchange::{Outcome, TransportError};
use alerts_engine::{Deadlines, Egress};
use hickory_resolver::proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_resolver::proto::rr::{RData, Record, RecordType};
use tokio::net::UdpSocket;

use crate::scene::{Target, endpoint, failure, ok, perform, request};

/// A name server: `*.silent.test` gets no answer, `*.good.test` is this machine, with
/// or without an answer for AAAA, and nothing else exists.
struct NameServer {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl NameServer {
    async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok((read, from)) = socket.recv_from(&mut buffer).await {
                let asked = Message::from_vec(&buffer[..read]).unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                if let Some(answer) = answer(&asked) {
                    socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
                }
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn door(&self) -> Egress {
        let loopback = AddressRules::new(vec!["127.0.0.0/8".parse().unwrap()]);
        Egress::with_name_servers(loopback, Deadlines::default(), &[self.address]).unwrap()
    }
}

fn answer(asked: &Message) -> Option<Message> {
    let query = asked.queries[0].clone();
    let name = query.name().to_ascii();
    let mut answer = Message::new(asked.metadata.id, MessageType::Response, OpCode::Query);
    answer.add_query(query.clone());
    if name.contains(".silent.test")
        || (name.contains("aaaa-silent") && query.query_type() == RecordType::AAAA)
    {
        return None;
    }
    if !name.contains(".good.test") {
        answer.metadata.response_code = ResponseCode::NXDomain;
    } else if query.query_type() == RecordType::A {
        let here = RData::A(Ipv4Addr::LOCALHOST.into());
        answer.add_answer(Record::from_rdata(query.name().clone(), 60, here));
    }
    Some(answer)
}

/// What becomes of a request to a target by this name.
async fn outcome(door: &Egress, name: &str, target: &Target) -> Outcome {
    let url = format!("http://{name}:{}/hook", target.address.port());
    perform(door, &endpoint(&url), &request(&url)).await
}

#[tokio::test]
async fn names_that_nobody_answers_for_delay_no_other() {
    let (server, target) = (NameServer::start().await, Target::answering(ok("", "")).await);
    let door = server.door();
    // More than there are turns: if each kept its turn until its deadline, a name that is
    // asked for after them would not be connected to within its own.
    let mut silent = tokio::task::JoinSet::new();
    for number in 0..400 {
        let (door, port) = (door.clone(), target.address.port());
        silent.spawn(async move {
            let url = format!("http://n{number}.silent.test:{port}/hook");
            perform(&door, &endpoint(&url), &request(&url)).await
        });
    }
    tokio::task::yield_now().await;
    for name in ["one.good.test", "two.good.test"] {
        let sent = outcome(&door, name, &target).await;
        assert!(matches!(sent, Outcome::Response(_)), "{name}: {sent:?}");
    }
    assert!(!silent.is_empty());
    // Each of them ends, and says that it was the name.
    while let Some(ended) = silent.join_next().await {
        let Outcome::Failed(error) = ended.unwrap() else { panic!("it was answered") };
        let is_told = match &error {
            TransportError::Dns(told) => told.contains("did not answer"),
            TransportError::Timeout(_) => true,
            _ => false,
        };
        assert!(is_told, "{error}");
    }
}

#[tokio::test]
async fn a_name_server_that_ignores_aaaa_costs_no_delivery() {
    let (server, target) = (NameServer::start().await, Target::answering(ok("", "")).await);
    let sent = outcome(&server.door(), "aaaa-silent.good.test", &target).await;
    assert!(matches!(sent, Outcome::Response(_)), "{sent:?}");
}

#[tokio::test]
async fn a_burst_for_one_name_asks_once_and_so_does_one_for_a_name_that_is_not() {
    let (server, target) = (NameServer::start().await, Target::answering(ok("", "")).await);
    let door = server.door();
    for (name, is_answered) in [("one.good.test", true), ("nothing.test", false)] {
        let before = server.asked();
        let burst = (0..20).map(|_| outcome(&door, name, &target));
        for outcome in futures_util::future::join_all(burst).await {
            match outcome {
                Outcome::Response(_) => assert!(is_answered),
                Outcome::Failed(TransportError::Dns(told)) => {
                    assert_eq!(told, "no address for nothing.test: the name servers know none");
                }
                Outcome::Failed(error) => panic!("{error}"),
            }
        }
        assert_eq!(server.asked() - before, 2, "{name}: A and AAAA");
    }
}

#[tokio::test]
async fn every_address_that_a_name_server_answers_with_is_judged() {
    let (server, target) = (NameServer::start().await, Target::answering(ok("", "")).await);
    let rules = AddressRules::default();
    let closed = Egress::with_name_servers(rules, Deadlines::default(), &[server.address]).unwrap();
    let url = format!("http://one.good.test:{}/hook", target.address.port());
    let refused = failure(&closed, &endpoint(&url), &request(&url)).await;
    let TransportError::Forbidden(told) = refused else { panic!("{refused:?}") };
    assert!(told.starts_with("one.good.test leads to a forbidden address: 127.0.0.1"), "{told}");
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn names_in_the_hosts_file_need_no_name_server() {
    // Nobody listens there.
    let nobody = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let loopback =
        AddressRules::new(vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
    let servers = [nobody.local_addr().unwrap()];
    let door = Egress::with_name_servers(loopback, Deadlines::default(), &servers).unwrap();
    let target = Target::answering(ok("", "")).await;
    let sent = outcome(&door, "LocalHost", &target).await;
    assert!(matches!(sent, Outcome::Response(_)), "{sent:?}");
}

/// What makes a process of its own for a machine without certificate authorities.
const BARE_MACHINE: &str = "EGRESS_TEST_BARE_MACHINE";

#[tokio::test]
async fn a_machine_without_certificate_authorities_serves_http_and_says_why_not_https() {
    if std::env::var_os(BARE_MACHINE).is_none() {
        // The environment is the process's: the test runs itself in another one.
        let name =
            "names::a_machine_without_certificate_authorities_serves_http_and_says_why_not_https";
        let mut again = tokio::process::Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", name, "--nocapture"]).env(BARE_MACHINE, "1");
        again.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", "/dev/null");
        let ended = again.output().await.unwrap();
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let target = Target::answering(ok("", "")).await;
    let loopback = AddressRules::new(vec!["127.0.0.0/8".parse().unwrap()]);
    let door = Egress::new(loopback, Deadlines::default()).unwrap();
    let sent = outcome(&door, "127.0.0.1", &target).await;
    assert!(matches!(sent, Outcome::Response(_)), "{sent:?}");
    let encrypted = target.url().replace("http://", "https://");
    let failed = failure(&door, &endpoint(&encrypted), &request(&encrypted)).await;
    let TransportError::Tls(told) = failed else { panic!("{failed:?}") };
    assert!(told.starts_with("this machine has no certificate authorities"), "{told}");
    assert!(told.contains("SSL_CERT_FILE"), "{told}");
}
