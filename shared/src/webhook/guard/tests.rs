use std::fmt::Write;

use proptest::prelude::*;

use super::*;

/// Hosts that are not public, as written in URLs, in notations that have bypassed guards.
const NOT_PUBLIC: [&str; 40] = [
    // The loopback, in every notation of inet_aton.
    "127.0.0.1 127.1 127.0.1 127.255.255.254 2130706433 0x7f000001 0x7f.1 0x7F.0x0.0x0.0x1",
    "127.0x0.0.1 0177.0.0.1 0177.1",
    "017700000001 00000177.0.0.01 127.0.0.1. 0x7f.1. 2130706433. 127.0.0.1:443 127.0.0.1:080",
    // The same, as browsers parse it: full-width and circled digits, other dots, escapes, ignored
    // characters.
    "１２７.０.０.１ １２７。１ ①②⑦.⓪.⓪.① 𝟏𝟐𝟕.𝟎.𝟎.𝟏 127。0。0。1 127．0．0．1 127｡1 %31%32%37.0.0.1 127%2E0%2E0%2E1",
    "%32130706433",
    "127.0.\t0.1 127.\n0.0.1 127.0.0.1\r 12\u{ad}7.0.0.1 127.\u{200b}0.0.1",
    "%EF%BC%91%EF%BC%92%EF%BC%97.1",
    // This network.
    "0 0.0.0.0 0x0 0x 00 0. 0.255.255.255 [::] [0:0:0:0:0:0:0:0] [::0.0.0.0]",
    // The loopback of IPv6, and IPv4 inside IPv6: compatible, mapped, translated.
    "[::1] [0:0:0:0:0:0:0:1] [0000:0000::0001] [::1]:8080 [::127.0.0.1] [::ffff:127.0.0.1]",
    "[::ffff:7f00:1] [::FFFF:7F00:0001]",
    "[0:0:0:0:0:ffff:127.0.0.1] [::ffff:10.0.0.1] [::ffff:192.168.0.1] [::ffff:8.8.8.8]",
    "[::ffff:0:127.0.0.1]",
    // NAT64, 6to4, Teredo, ISATAP.
    "[64:ff9b::7f00:1] [64:ff9b::127.0.0.1] [64:ff9b:1::7f00:1] [64:ff9b:1:ffff::10.0.0.1]",
    "[2002:7f00:1::] [2002:a00:1::1]",
    "[2001::1] [2001:0:7f00:1::80ff:fffe] [2001:0:4136:e378:8000:63bf:3fff:fdd2]",
    "[2606:4700::5efe:127.0.0.1] [2606:4700::200:5efe:a00:1]",
    // Metadata services, credentials, clocks and resolvers of clouds.
    "169.254.169.254 0xa9fea9fe 2852039166 0251.0376.0251.0376 169.254.43518 [::ffff:a9fe:a9fe]",
    "[64:ff9b::a9fe:a9fe] [2002:a9fe:a9fe::]",
    "169.254.170.2 169.254.170.23 169.254.169.253 169.254.169.123 [fd00:ec2::254] [fd00:ec2::23]",
    "[fd20:ce::254] 100.100.100.200",
    "192.0.0.192 instance-data.ec2.internal metadata.google.internal metadata.google.internal.",
    "metadata",
    // Private networks, and those of carriers.
    "10.0.0.1 10.255.255.255 012.1 0xa000001 167772161 172.16.0.1 172.31.255.255 192.168.0.1",
    "192.168.257 3232235521 100.64.0.1",
    "100.127.255.255 192.168.255.255 [fc00::1] [fdff:ffff::1] [fe80::1] [febf::1] [fec0::1]",
    "[feff::1]",
    // Multicast, broadcast, reserved.
    "224.0.0.1 239.255.255.255 255.255.255.255 4294967295 240.0.0.1 254.255.255.255 [ff02::1]",
    "[ff0e::1]",
    // Documentation, benchmarks, protocols, relays, and unassigned blocks.
    "192.0.0.1 192.0.0.255 192.0.2.1 192.0.2.255 198.51.100.1 198.51.100.255 203.0.113.1",
    "203.0.113.255 198.18.0.1 198.19.255.255",
    "192.88.99.1 192.88.99.255 [2001:db8::1] [2001:db8:ffff::1] [3fff::1]",
    "[3fff:fff::1] [2001:2::1] [2001:10::1] [2001:20::1] [2001:1ff::1] [100::1] [100:0:0:1::1]",
    "[5f00::1] [4000::1] [1fff::1] [200::1]",
    // Names.
    "localhost LOCALHOST LocalHost localhost. a.localhost a.b.LOCALHOST. %6c%6fcalhost ｌｏｃａｌｈｏｓｔ",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ loc\u{ad}alhost",
    "localhost。 localhost:80 localhost.. printer.local printer.local. db.internal db.INTERNAL.",
    "ip-10-0-0-1.ec2.internal router router.",
    "intranet com a.. a。。",
    // What looks like another host after the host, and what is ignored before it.
    "127.0.0.1/@a.example 127.0.0.1#@a.example 127.0.0.1?@a.example 127.0.0.1\\@a.example",
    "127.0.0.1:80\\@a.example @127.0.0.1 /127.0.0.1 \\127.0.0.1",
];

/// Texts that look like one host but are another, or none: no URL is accepted.
const NOT_URLS: [&str; 7] = [
    "a.example@127.0.0.1 a.example:80@127.0.0.1 a:b@127.0.0.1:80 a.example%40127.0.0.1",
    "a.example:@127.0.0.1 127.0.0.1:80:80",
    "256.0.0.1 0x100000000 4294967296 1.2.3.4.5 0x7f.0.0.0.1 127.0.0.1.0x a.0x7f a.1 09.0.0.1",
    "127..1 [fe80::1%eth0]",
    "[fe80::1%25eth0] [::1%1] [::1 ::1 [127.0.0.1] [::ffff:127.1] [::ffff:0x7f.0.0.1]",
    "127.0.0.1%00.a.example 127.0.0.1%20.a.example",
    "127.0.0.1%0a 127.0.0.1%09 % exa<mple.com a%2fb.example 127.0.0.1%2f.a.example",
];

/// Hosts that must be allowed, on both sides of every block.
const PUBLIC: [&str; 15] = [
    "1.0.0.0 1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255",
    "128.0.0.0 169.253.255.255",
    "169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.1.255 192.0.3.0",
    "192.88.98.255 192.88.100.0",
    "192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0",
    "203.0.112.255 203.0.114.0 223.255.255.255",
    "134744072 0x08.8.8.8 8.8.2056 ８.８.８.８",
    "[2000::1] [2001:200::1] [2001:4860:4860::8888] [2001:db7:ffff::1] [2001:db9::1]",
    "[2001:ffff::1] [2003::1] [2600:1f18::5efd:1]",
    "[2606:4700:4700::1111] [2a05:d018::1] [3ffe:ffff::1] [3fff:1000::1] [3fff:ffff::1]",
    "example.com EXAMPLE.com. a.b.example.co.uk xn--bcher-kva.example bücher.example",
    "a_b.example.com example.com:8443 0x7f.example",
    "localhost.example.com local.example.com internal.example.com mylocalhost.com notlocal.net",
    "127.0.0.1.example.com 10.0.0.1.nip.io",
    "example.com/@127.0.0.1 example.com#@127.0.0.1 example.com\\@127.0.0.1 example.com?@127.0.0.1",
];

fn hosts(lines: &[&'static str]) -> Vec<&'static str> {
    lines.iter().flat_map(|line| line.split(' ')).collect()
}

fn check(host: &str) -> Result<(), BlockedAddress> {
    let url = WebhookUrl::try_from(format!("http://{host}/"))
        .unwrap_or_else(|error| panic!("{host:?}: {error}"));
    Guard::default().check(&url)
}

#[test]
fn a_host_that_is_not_public_is_refused_in_every_notation() {
    for host in hosts(&NOT_PUBLIC) {
        assert!(check(host).is_err(), "{host:?}");
    }
}

#[test]
fn a_text_with_a_disguised_host_is_not_a_url() {
    for host in hosts(&NOT_URLS) {
        let url = WebhookUrl::try_from(format!("http://{host}"));
        assert!(url.is_err(), "{host:?}: {}", url.as_ref().map_or("", WebhookUrl::as_str));
    }
}

#[test]
fn public_hosts_are_allowed_up_to_the_bounds_of_every_block() {
    for host in hosts(&PUBLIC) {
        assert_eq!(check(host), Ok(()), "{host:?}");
    }
}

#[test]
fn an_error_names_the_purpose_of_the_address() {
    for (host, message) in [
        ("169.254.169.254", "the host's address is not public (link-local)"),
        ("[2001::1]", "the host's address is not public (Teredo)"),
        ("[::1]", "the host's address is not public (not global unicast)"),
        ("localhost", "the host's name is not public"),
    ] {
        assert_eq!(check(host).expect_err(host).to_string(), message);
    }
}

#[test]
fn the_local_cloud_allows_all_addresses() {
    for host in hosts(&NOT_PUBLIC) {
        let url = WebhookUrl::try_from(format!("http://{host}/")).expect(host);
        assert_eq!(Guard { allow_private: true }.check(&url), Ok(()), "{host:?}");
    }
}

/// Any IPv4 address that is not public.
fn private_addresses() -> impl Strategy<Value = Ipv4Addr> {
    (prop::sample::select(&V4[..]), any::<u32>()).prop_map(|((block, length, _), bits)| {
        let host_bits = u32::MAX.checked_shr(length).unwrap_or(0);
        Ipv4Addr::from_bits(block.to_bits() | bits & host_bits)
    })
}

/// A number in a notation that `inet_aton` accepts.
fn number(value: u32, base: u8, zeros: usize) -> String {
    let zeros = "0".repeat(zeros);
    match base {
        0 => value.to_string(),
        1 => format!("0{zeros}{value:o}"),
        2 => format!("0x{zeros}{value:x}"),
        _ => format!("0X{zeros}{value:X}"),
    }
}

/// The address as one to four numbers, each in its own base; the last one holds all remaining
/// bytes.
fn numbers(address: Ipv4Addr, parts: usize, bases: [u8; 4], zeros: usize) -> String {
    let mut text = String::new();
    for (octet, base) in address.octets().into_iter().zip(bases).take(parts - 1) {
        write!(text, "{}.", number(octet.into(), base, zeros)).expect("strings accept all writes");
    }
    let rest = address.to_bits()
        & u32::MAX.checked_shr(8 * (u32::try_from(parts).expect("few") - 1)).unwrap_or(0);
    text + &number(rest, bases[3], zeros)
}

proptest! {
    #[test]
    fn a_private_address_is_refused_in_every_notation(
        address in private_addresses(),
        parts in 1_usize..=4,
        bases in prop::array::uniform4(0_u8..4),
        zeros in 0_usize..4,
        escaped: bool,
        dot: bool,
    ) {
        let mut host = numbers(address, parts, bases, zeros);
        if escaped {
            host = host.bytes().map(|byte| format!("%{byte:02x}")).collect::<Vec<_>>().concat();
        }
        if dot {
            host.push('.');
        }
        prop_assert!(check(&host).is_err(), "{}", host);
        // The host was parsed as this address, not refused for another reason.
        let url = WebhookUrl::try_from(format!("http://{host}/")).expect("an address");
        prop_assert_eq!(url.host(), Host::<&str>::Ipv4(address));
    }

    #[test]
    fn an_ipv6_address_that_embeds_a_private_one_is_refused(address in private_addresses()) {
        let [a, b] = [address.to_bits() >> 16, address.to_bits() & 0xffff];
        for host in [
            format!("[::{address}]"),
            format!("[::ffff:{address}]"),
            format!("[::ffff:{a:x}:{b:x}]"),
            format!("[::ffff:0:{address}]"),
            format!("[64:ff9b::{address}]"),
            format!("[64:ff9b:1:7:8:9:{a:x}:{b:x}]"),
            format!("[2002:{a:x}:{b:x}::1]"),
            format!("[2001:0:{a:x}:{b:x}::1]"),
            format!("[2001:0:8:8:8:8:{:x}:{:x}]", !a & 0xffff, !b & 0xffff),
            format!("[2600:1f18::5efe:{address}]"),
        ] {
            prop_assert!(check(&host).is_err(), "{}", host);
        }
    }

    #[test]
    fn the_guard_covers_what_the_standard_library_classifies(bits: u128) {
        let v4 = Ipv4Addr::from_bits(u32::try_from(bits & 0xffff_ffff).expect("32 bits"));
        let is_special = v4.is_private()
            || v4.is_loopback()
            || v4.is_link_local()
            || v4.is_multicast()
            || v4.is_broadcast()
            || v4.is_documentation()
            || v4.is_unspecified();
        prop_assert!(!is_special || special_purpose(v4.into()).is_some());
        let v6 = Ipv6Addr::from_bits(bits);
        let is_special = v6.is_loopback()
            || v6.is_unspecified()
            || v6.is_multicast()
            || v6.is_unique_local()
            || v6.is_unicast_link_local();
        prop_assert!(!is_special || special_purpose(v6.into()).is_some());
    }
}
