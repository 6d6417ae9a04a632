<?php
// Receives alerts of Exosphere Alerts. PHP alone, 8.1 or newer.
//
//   ALERTS_SECRET=whsec_… ALERTS_SEEN_DIR=/var/lib/receiver php -S 127.0.0.1:9000 receiver.php
declare(strict_types=1);

// A request that is older was sent again by somebody else.
const TOLERANCE_S = 5 * 60;
// An alert is a few KiB; event data that an endpoint asks for may be 1 MiB.
const MAX_BODY_BYTES = 2 * 1024 * 1024;
// How long ids are remembered: alerts are tried for a week at most.
const REMEMBERED_S = 8 * 24 * 3600;

/** A request that was not made by who knows the secret, or not now. */
class Refused extends Exception
{
}

function check_time(string $seconds, int $now): void
{
    if (!preg_match('/^\d{1,12}$/D', $seconds)) {
        throw new Refused('a timestamp is not a number');
    }
    if (abs($now - (int) $seconds) > TOLERANCE_S) {
        throw new Refused('the request is too old, or from the future');
    }
}

function any_equal(string $expected, array $given): bool
{
    foreach ($given as $one) {
        if (hash_equals($expected, $one)) {
            return true;
        }
    }
    return false;
}

function header_of(string $name): string
{
    return $_SERVER['HTTP_' . strtoupper(strtr($name, '-', '_'))] ?? '';
}

/** Checks both signatures. Throws `Refused`. */
function verify(string $secret, string $body, int $now): void
{
    // The platform's own: the secret's text as it was shown is the key.
    $given = ['t' => [], 'v1' => []];
    foreach (explode(',', header_of('x-exosphere-signature')) as $part) {
        [$name, $value] = array_pad(explode('=', $part, 2), 2, '');
        $given[$name][] = $value;
    }
    if (count($given['t']) !== 1) {
        throw new Refused('x-exosphere-signature is missing');
    }
    check_time($given['t'][0], $now);
    // More than one while a secret is changed; any will do.
    if (!any_equal(hash_hmac('sha256', $given['t'][0] . '.' . $body, $secret), $given['v1'])) {
        throw new Refused('x-exosphere-signature does not match');
    }

    // Standard Webhooks: what the base64 after `whsec_` stands for is the key.
    $id = header_of('webhook-id');
    $seconds = header_of('webhook-timestamp');
    check_time($seconds, $now);
    $key = base64_decode(preg_replace('/^whsec_/', '', $secret), true);
    if ($key === false) {
        throw new Refused('ALERTS_SECRET is not what the host has shown');
    }
    $mac = base64_encode(hash_hmac('sha256', "$id.$seconds.$body", $key, true));
    if (!any_equal("v1,$mac", explode(' ', header_of('webhook-signature')))) {
        throw new Refused('webhook-signature does not match');
    }
}

/** A file for each alert, which only one request can make: each attempt at an alert has the same id. */
function file_of(string $id): string
{
    $folder = getenv('ALERTS_SEEN_DIR') ?: sys_get_temp_dir() . '/alerts-seen';
    is_dir($folder) || mkdir($folder, 0700, true);
    return $folder . '/' . hash('sha256', $id);
}

function is_new(string $id): bool
{
    $file = @fopen(file_of($id), 'x');
    return $file !== false && fclose($file);
}

/** Now and then: what is older than any retry is forgotten. */
function forget_old(int $now): void
{
    foreach (glob(dirname(file_of('')) . '/*') as $file) {
        if ($now - filemtime($file) > REMEMBERED_S) {
            @unlink($file);
        }
    }
}

/** What you do with an alert. If it throws, the alert comes again. */
function handle(array $alert): void
{
    file_put_contents('php://stdout', "alert {$alert['id']} {$alert['type']}\n");
}

function answer(int $status, string $text = ''): void
{
    http_response_code($status);
    echo $text;
}

if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
    answer(405);
    return;
}
$body = (string) file_get_contents('php://input', length: MAX_BODY_BYTES + 1);
if (strlen($body) > MAX_BODY_BYTES) {
    answer(413, 'a body of at most 2 MiB');
    return;
}
try {
    verify((string) getenv('ALERTS_SECRET'), $body, time());
} catch (Refused $refused) {
    answer(401, $refused->getMessage());
    return;
}
$id = header_of('webhook-id');
if (is_new($id)) {
    try {
        handle(json_decode($body, true, flags: JSON_THROW_ON_ERROR));
    } catch (Throwable $error) {
        unlink(file_of($id));
        answer(500, $error->getMessage());
        return;
    }
    if (random_int(1, 1000) === 1) {
        forget_old(time());
    }
}
// A repeat is answered like the first: it was received.
answer(204);
