// Receives alerts of Exosphere Alerts. Node.js alone, 18 or newer.
//
//   ALERTS_SECRET=whsec_… PORT=9000 node receiver.mjs

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

// A request that is older was sent again by somebody else.
const TOLERANCE_S = 5 * 60;
// An alert is a few KiB; event data that an endpoint asks for may be 1 MiB.
const MAX_BODY_BYTES = 2 * 1024 * 1024;
// Ids that are remembered. With several processes, use a unique key in a database.
const MAX_IDS = 100_000;

const secret = process.env.ALERTS_SECRET;
if (!secret) throw new Error("ALERTS_SECRET: the endpoint's signing secret is missing");

/** A request that was not made by who knows the secret, or not now. */
class Refused extends Error {}

function same(a, b) {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function checkTime(seconds, nowS) {
  if (!/^\d{1,12}$/.test(seconds)) throw new Refused("a timestamp is not a number");
  if (Math.abs(nowS - Number(seconds)) > TOLERANCE_S) {
    throw new Refused("the request is too old, or from the future");
  }
}

/** Checks both signatures. Throws `Refused`. */
function verify(headers, body, nowS) {
  // The platform's own: the secret's text as it was shown is the key.
  const parts = (headers["x-exosphere-signature"] ?? "").split(",").map((part) => part.split("="));
  const times = parts.filter(([name]) => name === "t").map(([, value]) => value ?? "");
  if (times.length !== 1) throw new Refused("x-exosphere-signature is missing");
  checkTime(times[0], nowS);
  const own = createHmac("sha256", secret).update(`${times[0]}.`).update(body).digest("hex");
  // More than one while a secret is changed; any will do.
  if (!parts.some(([name, value]) => name === "v1" && same(own, value ?? ""))) {
    throw new Refused("x-exosphere-signature does not match");
  }

  // Standard Webhooks: what the base64 after `whsec_` stands for is the key.
  const id = headers["webhook-id"] ?? "";
  const seconds = headers["webhook-timestamp"] ?? "";
  checkTime(seconds, nowS);
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const mac = createHmac("sha256", key).update(`${id}.${seconds}.`).update(body).digest("base64");
  const given = (headers["webhook-signature"] ?? "").split(" ");
  if (!given.some((one) => same(`v1,${mac}`, one))) {
    throw new Refused("webhook-signature does not match");
  }
}

/** The newest alerts' ids, oldest first: each attempt at an alert has the same one. */
const seen = new Set();

function isNew(id) {
  if (seen.has(id)) return false;
  seen.add(id);
  if (seen.size > MAX_IDS) seen.delete(seen.values().next().value);
  return true;
}

/** What you do with an alert. If it throws, the alert comes again. */
async function handle(alert) {
  console.log("alert", alert.id, alert.type);
}

async function read(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function receive(request, response) {
  if (request.method !== "POST") return response.writeHead(405).end();
  const tooLarge = Number(request.headers["content-length"] ?? 0) > MAX_BODY_BYTES;
  const body = tooLarge ? undefined : await read(request);
  if (body === undefined) {
    return response.writeHead(413, { connection: "close" }).end("a body of at most 2 MiB");
  }
  try {
    verify(request.headers, body, Date.now() / 1000);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return response.writeHead(401).end(error.message);
  }
  const id = request.headers["webhook-id"];
  if (isNew(id)) {
    try {
      await handle(JSON.parse(body.toString("utf8")));
    } catch (error) {
      seen.delete(id);
      return response.writeHead(500).end(String(error));
    }
  }
  // A repeat is answered like the first: it was received.
  return response.writeHead(204).end();
}

const server = createServer((request, response) => {
  receive(request, response).catch(() => response.destroy());
});
server.requestTimeout = 30_000;
server.listen(Number(process.env.PORT ?? 9000), "127.0.0.1");
