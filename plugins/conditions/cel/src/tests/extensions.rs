//! The extension libraries, and the bounds on what they make.

use super::*;
use crate::growth::{MAX_ITEMS, MAX_TEXT_BYTES};

#[test]
fn conditions_of_the_extension_libraries_hold() {
    for source in [
        "event.type.split('.') == ['workflow', 'failed']",
        "event.data.graph_name.upperAscii() == 'ETL' && ' a '.trim() == 'a'",
        "event.subject.replace('graph/', '').substring(0, 3) == 'etl'",
        "event.data.tags.join('+') == 'a+b' && ['x'].join() == 'x'",
        "'%s has %d'.format([event.data.graph_name, event.data.errored_count]) == 'etl has 4'",
        "strings.quote('a') == '\"a\"' && 'abc'.reverse() == 'cba'",
        "math.greatest(event.data.errored_count, 3.5) == 4 && math.least([3, 1, 2]) == 1",
        "math.abs(-4) == 4 && math.bitAnd(5, 4) == 4 && math.sqrt(16) == 4.0",
        "base64.encode(b'etl') == 'ZXRs' && base64.decode('ZXRs') == b'etl'",
        "lists.range(3) == [0, 1, 2] && [3, 1, 2].sort() == [1, 2, 3]",
        "[[1], [2]].flatten() == [1, 2] && [1, 1].distinct() == [1]",
        "[{'n': 2}, {'n': 1}].sortBy(e, e.n)[0].n == 1",
        "sets.contains(event.data.tags, ['a']) && sets.intersects(event.data.tags, ['b', 'c'])",
        "sets.equivalent([1, 2.0, 1], [2, 1]) && !sets.contains(event.data.tags, ['c'])",
        "event.data.tags.all(i, tag, i < 2 && tag in ['a', 'b'])",
        "event.data.exists(key, value, key == 'errored_count' && value > 3)",
        "event.data.tags.existsOne(i, tag, tag == 'b') && !event.data.tags.exists_one(i, tag, i < 9)",
        "event.data.tags.transformList(i, tag, tag + string(i)) == ['a0', 'b1']",
        "event.data.tags.transformList(i, tag, i > 0, tag) == ['b']",
        "{'a': 1, 'b': 2}.transformMap(k, v, v > 1, v * 2) == {'b': 4}",
        "{'a': 1}.transformMapEntry(k, v, {k + '!': v}) == {'a!': 1}",
        "cel.bind(n, event.data.errored_count * 2, n > 7 && n < 9)",
        "cel.block([event.data.errored_count, cel.index(0) * 2], cel.index(1) == 8)",
        "event.?data.?missing.optMap(x, x + 1).orValue(7) == 7",
        "optional.of(1).optFlatMap(x, optional.of(x + 1)).value() == 2",
        "event.data.`graph_name` == 'etl' && {'content-type': 1}.`content-type` == 1",
    ] {
        assert_eq!(evaluate(source), Ok(true), "{source}");
    }
}

#[test]
fn addresses_and_networks_are_those_of_the_specification() {
    for source in [
        "cidr('10.0.0.0/8').containsIP(event.data.peer)",
        "cidr('10.0.0.0/8').containsIP(ip(event.data.peer)) && !cidr('10.3.0.0/16').containsIP('10.2.3.4')",
        "cidr('10.0.0.0/8').containsCIDR('10.0.0.0/9') && !cidr('10.0.0.0/8').containsCIDR(cidr('10.0.0.0/7'))",
        "!cidr('0.0.0.0/0').containsIP('::1') && cidr('::/0').containsIP('2001:db8::1')",
        "cidr('192.168.0.1/24').masked() == cidr('192.168.0.0/24')",
        "cidr('192.168.0.1/24') != cidr('192.168.0.0/24')",
        "cidr('2001:db8::/32').ip() == ip('2001:DB8::') && cidr('2001:db8::/32').prefixLength() == 32",
        "string(ip('2001:DB8::68')) == '2001:db8::68' && string(cidr('10.0.0.0/8')) == '10.0.0.0/8'",
        "ip('127.0.0.1').family() == 4 && ip('::1').family() == 6",
        "ip('127.0.0.1').isLoopback() && ip('::1').isLoopback() && !ip('10.0.0.1').isLoopback()",
        "ip('0.0.0.0').isUnspecified() && ip('169.254.169.254').isLinkLocalUnicast()",
        "ip('224.0.0.1').isLinkLocalMulticast() && !ip('224.0.1.1').isLinkLocalMulticast()",
        "ip('ff02::1').isLinkLocalMulticast() && ip('fe80::1').isLinkLocalUnicast()",
        "ip('192.168.0.1').isGlobalUnicast() && !ip('255.255.255.255').isGlobalUnicast()",
        "!ip('ff00::1').isGlobalUnicast() && ip('2001:db8::abcd').isGlobalUnicast()",
        "isIP('10.0.0.1') && !isIP('10.0.0.1.0') && !isIP('fe80::1%en0') && !isIP('::ffff:10.0.0.1')",
        "isCIDR('10.0.0.0/8') && !isCIDR('10.0.0.0/') && !isCIDR('10.0.0.0/33') && !isCIDR('10.0.0.0/+8')",
        "ip.isCanonical('127.0.0.1') && !ip.isCanonical('2001:DB8::68')",
        "ip('::ffff:c0a8:1') == ip('192.168.0.1') && ip('::') != ip('::ffff')",
        "type(ip('10.0.0.1')) == net.IP && type(cidr('10.0.0.0/8')) == net.CIDR",
    ] {
        assert_eq!(evaluate_on(source, r#"{"peer": "10.2.3.4"}"#), Ok(true), "{source}");
    }
    for (source, part) in [
        ("ip('192.168.0.1.0').isLoopback()", "`192.168.0.1.0` is not an IP address"),
        ("ip('fe80::1%en0').isLoopback()", "zone"),
        ("ip('::ffff:192.168.0.1').isLoopback()", "write it as IPv4"),
        ("cidr('192.168.0.0/').containsIP('10.0.0.1')", "`10.0.0.0/8`"),
        ("isIP(cidr('192.168.0.0/24'))", "`isIP`"),
    ] {
        let found = diagnostics(source);
        assert!(found[0].message.contains(part), "{source}: {found:?}");
    }
    let message = evaluate_on("ip(event.data.peer).isLoopback()", r#"{"peer": "x"}"#).unwrap_err();
    assert!(message.contains("`x` is not an IP address"), "{message}");
}

#[test]
fn what_is_made_out_of_little_is_bounded() {
    let data = format!(r#"{{"s": "{}", "n": 1000000000, "tags": ["a", "b"]}}"#, "x".repeat(2_000));
    for (source, part) in [
        ("lists.range(event.data.n).size() > 0", "ITEMS items"),
        ("lists.range(1000000000) == []", "ITEMS items"),
        ("event.data.s.replace('', event.data.s) == ''", "BYTES bytes"),
        ("event.data.s.replace('x', event.data.s) == ''", "BYTES bytes"),
        ("lists.range(9000).map(i, 'a').join(event.data.s) == ''", "BYTES bytes"),
        ("lists.range(1000).map(i, event.data.s).join() == ''", "BYTES bytes"),
        (
            "cel.bind(a, event.data.s.replace('x', 'yyyyyyyyyy'), '%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s'.format(lists.range(56).map(i, a))) == ''",
            "BYTES bytes",
        ),
        (
            "cel.bind(a, event.data.s + event.data.s, cel.bind(b, a + a + a + a, cel.bind(c, b + b + b + b, cel.bind(d, c + c + c + c, d + d + d + d + d + d)))) == ''",
            "BYTES bytes",
        ),
        ("cel.bind(l, lists.range(60000), l + l) == []", "ITEMS items"),
    ] {
        let message = evaluate_on(source, &data).unwrap_err();
        let part = part
            .replace("ITEMS", &MAX_ITEMS.to_string())
            .replace("BYTES", &MAX_TEXT_BYTES.to_string());
        assert!(message.contains(&part), "{}: {message}", &source[..40]);
    }
    assert_eq!(evaluate_on("event.data.s.replace('x', 'xy').size() == 4000", &data), Ok(true));
    assert_eq!(evaluate_on("event.data.tags.join(event.data.s).size() == 2002", &data), Ok(true));
}

#[test]
fn a_map_is_gone_through_in_the_order_of_its_keys() {
    for source in [
        "event.data.map(k, k) == ['a', 'b', 'c', 'd', 'e', 'f']",
        "event.data.transformList(k, v, v) == [1, 2, 3, 4, 5, 6]",
        "event.data.map(k, event.data[k] > 2, k)[0] == 'c'",
    ] {
        let data = r#"{"f": 6, "b": 2, "d": 4, "a": 1, "e": 5, "c": 3}"#;
        assert_eq!(evaluate_on(source, data), Ok(true), "{source}");
    }
}

#[test]
fn names_of_two_variables_are_simple_and_differ() {
    for source in [
        "event.data.tags.all(t, t, t == 'a')",
        "event.data.tags.all(t.x, u, t == 'a')",
        "cel.bind(x.y, 1, true)",
        "event.type.all(i, t, t == 'a')",
    ] {
        assert!(!diagnostics(source).is_empty());
    }
}
