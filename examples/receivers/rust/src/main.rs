//! Receives alerts of Exosphere Alerts.
//!
//!     ALERTS_SECRET=whsec_… PORT=9000 cargo run

use std::collections::{HashSet, VecDeque};
use std::io::{Cursor, Read as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;
use tiny_http::{Header, Method, Request, Response, Server};

/// A request that is older was sent again by somebody else.
const TOLERANCE_S: u64 = 5 * 60;
/// An alert is a few KiB; event data that an endpoint asks for may be 1 MiB.
const MAX_BODY_BYTES: u64 = 2 * 1024 * 1024;
/// Ids that are remembered. With several processes, use a unique key in a database.
const MAX_IDS: usize = 100_000;
/// Requests that are worked on at once.
const THREADS: usize = 4;

/// Why a request was not made by who knows the secret, or not now.
type Refused = &'static str;

fn hmac(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac
}

fn check_time(seconds: &str, now_s: u64) -> Result<(), Refused> {
    let seconds: u64 = seconds.parse().map_err(|_| "a timestamp is not a number")?;
    if now_s.abs_diff(seconds) > TOLERANCE_S {
        return Err("the request is too old, or from the future");
    }
    Ok(())
}

/// Checks both signatures.
fn verify(
    secret: &str,
    header: impl Fn(&str) -> String,
    body: &[u8],
    now_s: u64,
) -> Result<(), Refused> {
    // The platform's own: the secret's text as it was shown is the key.
    let own = header("x-exosphere-signature");
    let parts: Vec<_> = own.split(',').filter_map(|part| part.split_once('=')).collect();
    let time = parts.iter().find(|(name, _)| *name == "t");
    let (_, seconds) = time.ok_or("x-exosphere-signature is missing")?;
    check_time(seconds, now_s)?;
    let mac = hmac(secret.as_bytes(), &[seconds.as_bytes(), b".", body]);
    // More than one while a secret is changed; any will do. Compared in constant time.
    let mut given = parts.iter().filter(|(name, _)| *name == "v1");
    let matches =
        |hex: &str| hex::decode(hex).is_ok_and(|bytes| mac.clone().verify_slice(&bytes).is_ok());
    if !given.any(|(_, hex)| matches(hex)) {
        return Err("x-exosphere-signature does not match");
    }

    // Standard Webhooks: what the base64 after `whsec_` stands for is the key.
    let (id, seconds) = (header("webhook-id"), header("webhook-timestamp"));
    check_time(&seconds, now_s)?;
    let key = STANDARD
        .decode(secret.strip_prefix("whsec_").unwrap_or(secret))
        .map_err(|_| "ALERTS_SECRET is not what the host has shown")?;
    let mac = hmac(&key, &[id.as_bytes(), b".", seconds.as_bytes(), b".", body]);
    let given = header("webhook-signature");
    let mut given = given.split(' ').filter_map(|one| one.strip_prefix("v1,"));
    let matches = |base64: &str| {
        STANDARD.decode(base64).is_ok_and(|bytes| mac.clone().verify_slice(&bytes).is_ok())
    };
    if given.any(matches) { Ok(()) } else { Err("webhook-signature does not match") }
}

/// The ids of the newest alerts: each attempt at an alert has the same one.
#[derive(Default)]
struct Seen {
    ids: HashSet<String>,
    oldest_first: VecDeque<String>,
}

impl Seen {
    fn is_new(&mut self, id: &str) -> bool {
        if !self.ids.insert(id.to_owned()) {
            return false;
        }
        self.oldest_first.push_back(id.to_owned());
        if self.oldest_first.len() > MAX_IDS
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

#[derive(Deserialize)]
struct Alert {
    id: String,
    #[serde(rename = "type")]
    kind: String,
}

/// What you do with an alert. If it fails, the alert comes again.
fn handle(body: &[u8]) -> Result<(), String> {
    let alert: Alert = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    println!("alert {} {}", alert.id, alert.kind);
    std::io::stdout().flush().map_err(|error| error.to_string())
}

type Answer = Response<Cursor<Vec<u8>>>;

fn answer(status: u16, text: &str) -> Answer {
    Response::from_string(text).with_status_code(status)
}

fn receive(secret: &str, seen: &Mutex<Seen>, request: &mut Request) -> Answer {
    if *request.method() != Method::Post {
        return answer(405, "POST only");
    }
    let mut body = Vec::new();
    let read = request.as_reader().take(MAX_BODY_BYTES + 1).read_to_end(&mut body);
    if read.is_err() || body.len() as u64 > MAX_BODY_BYTES {
        return answer(413, "a body of at most 2 MiB");
    }
    let header = |name: &str| {
        let is_named = |one: &&Header| one.field.as_str().as_str().eq_ignore_ascii_case(name);
        let found = request.headers().iter().find(is_named);
        found.map(|one| one.value.as_str().to_owned()).unwrap_or_default()
    };
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    if let Err(refused) = verify(secret, &header, &body, now_s) {
        return answer(401, refused);
    }
    let id = header("webhook-id");
    if seen.lock().unwrap_or_else(PoisonError::into_inner).is_new(&id)
        && let Err(error) = handle(&body)
    {
        seen.lock().unwrap_or_else(PoisonError::into_inner).ids.remove(&id);
        return answer(500, &error);
    }
    // A repeat is answered like the first: it was received.
    answer(204, "")
}

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let secret = std::env::var("ALERTS_SECRET")
        .map_err(|_| "ALERTS_SECRET: the endpoint's signing secret is missing")?;
    let port = std::env::var("PORT").unwrap_or_else(|_| "9000".to_owned());
    let server = Server::http(format!("127.0.0.1:{port}"))?;
    let seen = Mutex::new(Seen::default());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for mut request in server.incoming_requests() {
                    let answer = receive(&secret, &seen, &mut request);
                    // The caller may have gone.
                    let _ = request.respond(answer);
                }
            });
        }
    });
    Ok(())
}
