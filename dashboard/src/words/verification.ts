/** Code that checks a signature, in the languages that receivers are written in. */

export interface HeaderNames {
  /** `t=…,v1=…` over the time, a dot and the body. */
  signature: string;
}

export interface Snippet {
  id: string;
  label: string;
  code: string;
}

/** The header that carries the signature, as a prepared request has it. */
export function headerNamesOf(headers: [string, string][]): HeaderNames {
  const found = headers.find(([, value]) => /^t=\d+,v1=[0-9a-f]+/.test(value));
  return { signature: found?.[0] ?? 'x-exosphere-signature' };
}

export function snippetsFor({ signature }: HeaderNames): Snippet[] {
  return [
    {
      id: 'python',
      label: 'Python',
      code: `import hashlib, hmac, time

def is_genuine(secret: str, headers, body: bytes) -> bool:
    parts = [part.split("=", 1) for part in headers["${signature}"].split(",")]
    sent_at = dict(parts)["t"]
    expected = hmac.new(secret.encode(), f"{sent_at}.".encode() + body, hashlib.sha256).hexdigest()
    return abs(time.time() - int(sent_at)) < 300 and any(
        hmac.compare_digest(expected, value) for name, value in parts if name == "v1"
    )`,
    },
    {
      id: 'node',
      label: 'Node',
      code: `import { createHmac, timingSafeEqual } from 'node:crypto';

export function isGenuine(secret, headers, body /* Buffer, as received */) {
  const parts = headers['${signature}'].split(',').map((part) => part.split('='));
  const sentAt = parts.find(([name]) => name === 't')[1];
  const expected = createHmac('sha256', secret).update(\`\${sentAt}.\`).update(body).digest();
  return Math.abs(Date.now() / 1000 - Number(sentAt)) < 300 && parts.some(([name, value]) => {
    const given = Buffer.from(value, 'hex');
    return name === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
  });
}`,
    },
    {
      id: 'go',
      label: 'Go',
      code: `func isGenuine(secret string, header http.Header, body []byte, now time.Time) bool {
	var sentAt string
	var given []string
	for _, part := range strings.Split(header.Get("${signature}"), ",") {
		name, value, _ := strings.Cut(part, "=")
		if name == "t" { sentAt = value }
		if name == "v1" { given = append(given, value) }
	}
	seconds, err := strconv.ParseInt(sentAt, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > 5*time.Minute { return false }
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(sentAt + "."))
	mac.Write(body)
	expected := hex.EncodeToString(mac.Sum(nil))
	return slices.ContainsFunc(given, func(v string) bool { return hmac.Equal([]byte(v), []byte(expected)) })
}`,
    },
    {
      id: 'rust',
      label: 'Rust',
      code: `// hmac, sha2, hex
fn is_genuine(secret: &str, signature: &str, body: &[u8], now: i64) -> bool {
    // \`signature\` is the header ${signature}.
    let parts = || signature.split(',').filter_map(|part| part.split_once('='));
    let Some((_, sent_at)) = parts().find(|(name, _)| *name == "t") else { return false };
    let is_fresh = sent_at.parse::<i64>().is_ok_and(|at| (now - at).abs() < 300);
    is_fresh && parts().filter(|(name, _)| *name == "v1").any(|(_, value)| {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
        mac.update(sent_at.as_bytes());
        mac.update(b".");
        mac.update(body);
        hex::decode(value).is_ok_and(|given| mac.verify_slice(&given).is_ok())
    })
}`,
    },
    {
      id: 'php',
      label: 'PHP',
      code: `function is_genuine(string $secret, string $signature, string $body): bool {
    // $signature is the header ${signature}; $body is file_get_contents('php://input').
    $sentAt = null;
    $given = [];
    foreach (explode(',', $signature) as $part) {
        [$name, $value] = explode('=', $part, 2);
        if ($name === 't') $sentAt = $value;
        if ($name === 'v1') $given[] = $value;
    }
    if ($sentAt === null || abs(time() - (int) $sentAt) > 300) return false;
    $expected = hash_hmac('sha256', "$sentAt.$body", $secret);
    foreach ($given as $value) if (hash_equals($expected, $value)) return true;
    return false;
}`,
    },
  ];
}
