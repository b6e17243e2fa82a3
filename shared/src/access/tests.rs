use super::*;

const READ: Access = Access::Operator(Role::Read);
const ADMIN: Access = Access::Operator(Role::Admin);

fn tokens(tokens: &[&str]) -> Option<Tokens> {
    let hashes: Vec<String> = tokens.iter().map(|token| Tokens::hash(token)).collect();
    (!hashes.is_empty()).then(|| hashes.join(",").parse().expect("hashes"))
}

fn settings(admin: &[&str], read: &[&str]) -> Settings {
    let order_secret_id = "order-secret".to_owned();
    Settings { admin: tokens(admin), read: tokens(read), closed: Vec::new(), order_secret_id }
}

#[test]
fn only_a_valid_token_is_accepted() {
    let both = settings(&["old", "new"], &[]);
    let admin = Ok(Caller::Operator(Role::Admin));
    for (authorization, expected) in [
        (Some("Bearer old"), admin),
        (Some("bearer new"), admin),
        (Some("Bearer other"), Err(AccessError::Unknown)),
        (Some("Bearer old "), Err(AccessError::Unknown)),
        (Some("Bearer  old"), Err(AccessError::Unknown)),
        (Some("Bearer old, Bearer old"), Err(AccessError::Unknown)),
        (Some("Bearer "), Err(AccessError::Missing)),
        (Some("Bearer"), Err(AccessError::Missing)),
        (Some("Basic old"), Err(AccessError::Missing)),
        (Some("old"), Err(AccessError::Missing)),
        (Some(""), Err(AccessError::Missing)),
        (None, Err(AccessError::Missing)),
    ] {
        assert_eq!(both.admit(ADMIN, authorization, false), expected, "{authorization:?}");
    }
    let rotated = settings(&["new"], &[]).admit(ADMIN, Some("Bearer old"), false);
    assert_eq!(rotated, Err(AccessError::Unknown));
}

#[test]
fn the_role_of_a_token_is_that_of_its_list_and_the_greater_one_of_both() {
    let settings = settings(&["admin", "both"], &["read", "both"]);
    for (token, role) in [("admin", Role::Admin), ("read", Role::Read), ("both", Role::Admin)] {
        let caller = settings.admit(READ, Some(&format!("Bearer {token}")), false);
        assert_eq!(caller, Ok(Caller::Operator(role)), "{token}");
    }
    let read = settings.admit(ADMIN, Some("Bearer read"), false);
    assert_eq!(read, Err(AccessError::Insufficient(Role::Admin)));
}

#[test]
fn without_a_configured_token_nothing_that_is_closed_is_reachable() {
    let none = Settings { closed: Switch::ALL.to_vec(), ..settings(&[], &[]) };
    let closed = Switch::ALL.map(Access::OpenUnless);
    for access in [READ, ADMIN, Access::OrderOr(Role::Read)].into_iter().chain(closed) {
        for authorization in [None, Some("Bearer "), Some("Bearer x"), Some("Bearer")] {
            assert!(none.admit(access, authorization, false).is_err(), "{access:?}");
        }
    }
    // The hash of the empty token configures no token that a request can send.
    let empty = settings(&[""], &[""]);
    assert_eq!(empty.admit(READ, Some("Bearer "), false), Err(AccessError::Missing));
}

#[test]
fn a_switch_closes_its_endpoint_and_no_other() {
    for closed in Switch::ALL {
        let settings = Settings { closed: vec![closed], ..settings(&["admin"], &["read"]) };
        for switch in Switch::ALL {
            let access = Access::OpenUnless(switch);
            let expected =
                if switch == closed { Err(AccessError::Missing) } else { Ok(Caller::Anonymous) };
            assert_eq!(settings.admit(access, None, false), expected, "{closed:?} {switch:?}");
            let admin = settings.admit(access, Some("Bearer admin"), false);
            assert_eq!(admin, Ok(Caller::Operator(Role::Admin)), "{closed:?} {switch:?}");
        }
    }
}

#[test]
fn a_token_that_is_sent_is_checked_also_where_none_is_required() {
    let settings = settings(&["admin"], &["read"]);
    let accesses = Switch::ALL.map(Access::OpenUnless).into_iter().chain([Access::Open]);
    for access in accesses {
        let unknown = settings.admit(access, Some("Bearer other"), true);
        assert_eq!(unknown, Err(AccessError::Unknown), "{access:?}");
    }
    let changes = Access::OpenUnless(Switch::Orders);
    let read = settings.admit(changes, Some("Bearer read"), false);
    assert_eq!(read, Err(AccessError::Insufficient(Role::Admin)));
    let looks = settings.admit(Access::OpenUnless(Switch::Test), Some("Bearer read"), false);
    assert_eq!(looks, Ok(Caller::Operator(Role::Read)));
}

#[test]
fn an_order_token_replaces_a_missing_or_insufficient_token_and_no_unknown_one() {
    let settings = settings(&["admin"], &["read"]);
    let order = Access::OrderOr(Role::Admin);
    for (authorization, has_order_token, expected) in [
        (None, true, Ok(Caller::Anonymous)),
        (None, false, Err(AccessError::MissingForOrder)),
        (Some("Bearer read"), true, Ok(Caller::Anonymous)),
        (Some("Bearer read"), false, Err(AccessError::Insufficient(Role::Admin))),
        (Some("Bearer admin"), true, Ok(Caller::Operator(Role::Admin))),
        (Some("Bearer other"), true, Err(AccessError::Unknown)),
    ] {
        let caller = settings.admit(order, authorization, has_order_token);
        assert_eq!(caller, expected, "{authorization:?} {has_order_token}");
    }
    let elsewhere = settings.admit(ADMIN, None, true);
    assert_eq!(elsewhere, Err(AccessError::Missing), "an order's token is for its order only");
}

#[test]
fn one_or_two_hashes_are_accepted() {
    let hash = sha256(b"token");
    let valid =
        [hash.clone(), format!("{hash},{hash}"), format!("{hash}, {}", hash.to_uppercase())];
    assert!(valid.iter().all(|text| text.parse::<Tokens>().is_ok()));
    for invalid in [
        "",
        "token",
        ",",
        &hash[1..],
        &format!("{hash},"),
        &format!("{hash},{hash},{hash}"),
        &"+1".repeat(32),
    ] {
        assert_eq!(invalid.parse::<Tokens>(), Err(InvalidTokens), "{invalid}");
    }
}
