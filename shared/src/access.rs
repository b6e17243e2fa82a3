//! Who may call: whoever has a token, where a token is asked for.
//!
//! The deployment knows a token's SHA-256 only, of one token or of two, so that one is replaced by another without a gap: first both, and the new one
//! alone once every caller has it. All are compared, in constant time, so that an answer's time tells nothing of them.
//!
//! Not covered: who a caller is. All tokens may do the same.

use std::str::FromStr;

use subtle::{Choice, ConstantTimeEq};

use crate::digest::sha256;

/// What is asked for a token.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The tokens that are known. None: no token is good.
    pub tokens: Option<Tokens>,
    /// Nobody is asked for a token. Only for the local cloud.
    pub anonymous: bool,
    /// Of those that ask where the deployment says so: those that do.
    pub asking: Vec<Access>,
}

/// Whether an endpoint asks for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Always: it changes or reveals money or schedules.
    Token,
    /// Never.
    Open,
    /// Where the deployment says so.
    Accept,
    /// Where the deployment says so.
    Orders,
    /// Where the deployment says so.
    Figures,
}

/// Why a caller is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// There is no token in the request.
    #[error("a token is needed: Authorization: Bearer <token>")]
    Missing,
    /// It is none that is known.
    #[error("the token is not known")]
    Unknown,
}

impl Settings {
    /// Whether an endpoint may be called with this header `Authorization`.
    pub fn check(&self, access: Access, authorization: Option<&str>) -> Result<(), Denied> {
        let asks = match access {
            Access::Open => false,
            Access::Token => true,
            switched => self.asking.contains(&switched),
        };
        if !asks || self.anonymous {
            return Ok(());
        }
        let (scheme, token) = authorization.and_then(|header| header.split_once(' ')).ok_or(Denied::Missing)?;
        if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
            return Err(Denied::Missing);
        }
        let known = self.tokens.as_ref().is_some_and(|tokens| tokens.know(token));
        known.then_some(()).ok_or(Denied::Unknown)
    }
}

/// The SHA-256 of one token or two, in small hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens(Vec<String>);

/// A text that is no such list. The message does not repeat it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("must be the SHA-256 of one token, or of two parted by a comma, each of 64 hexadecimal digits")]
pub struct UnfitTokens;

impl FromStr for Tokens {
    type Err = UnfitTokens;

    fn from_str(text: &str) -> Result<Self, UnfitTokens> {
        let hashes: Vec<String> = text.split(',').map(|hash| hash.trim().to_ascii_lowercase()).collect();
        let is_hash = |hash: &String| hash.len() == 64 && hash.bytes().all(|digit| digit.is_ascii_hexdigit());
        (hashes.len() <= 2 && hashes.iter().all(is_hash)).then_some(Self(hashes)).ok_or(UnfitTokens)
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tokens({})", self.0.len())
    }
}

impl Tokens {
    fn know(&self, token: &str) -> bool {
        let given = sha256(token.as_bytes());
        // All of them, whichever it is.
        self.0.iter().fold(Choice::from(0), |known, hash| known | given.as_bytes().ct_eq(hash.as_bytes())).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(tokens: &[&str]) -> Settings {
        let hashes: Vec<String> = tokens.iter().map(|token| sha256(token.as_bytes())).collect();
        let tokens = (!hashes.is_empty()).then(|| hashes.join(",").parse().expect("hashes"));
        Settings { tokens, anonymous: false, asking: vec![Access::Orders] }
    }

    #[test]
    fn a_known_token_opens_and_no_other() {
        let both = settings(&["old", "new"]);
        for (authorization, answer) in [
            (Some("Bearer old"), Ok(())),
            (Some("bearer new"), Ok(())),
            (Some("Bearer other"), Err(Denied::Unknown)),
            (Some("Bearer old "), Err(Denied::Unknown)),
            (Some("Bearer "), Err(Denied::Missing)),
            (Some("Bearer"), Err(Denied::Missing)),
            (Some("Basic old"), Err(Denied::Missing)),
            (Some("old"), Err(Denied::Missing)),
            (Some(""), Err(Denied::Missing)),
            (None, Err(Denied::Missing)),
        ] {
            assert_eq!(both.check(Access::Token, authorization), answer, "{authorization:?}");
        }
        assert_eq!(settings(&["new"]).check(Access::Token, Some("Bearer old")), Err(Denied::Unknown));
        assert_eq!(settings(&[]).check(Access::Token, Some("Bearer old")), Err(Denied::Unknown), "none is good");
    }

    #[test]
    fn what_is_open_asks_nobody_and_what_is_switched_asks_where_it_is_switched() {
        let settings = settings(&["token"]);
        for (access, open) in
            [(Access::Open, true), (Access::Accept, true), (Access::Figures, true), (Access::Orders, false)]
        {
            assert_eq!(settings.check(access, None).is_ok(), open, "{access:?}");
        }
        let anonymous = Settings { anonymous: true, ..settings };
        assert_eq!(anonymous.check(Access::Token, None), Ok(()));
    }

    #[test]
    fn only_one_or_two_hashes_are_tokens() {
        let hash = sha256(b"token");
        let fit = [hash.clone(), format!("{hash},{hash}"), format!("{hash}, {}", hash.to_uppercase())];
        assert!(fit.iter().all(|text| text.parse::<Tokens>().is_ok()));
        for unfit in
            ["", "token", ",", &hash[1..], &format!("{hash},"), &format!("{hash},{hash},{hash}"), &"+1".repeat(32)]
        {
            assert_eq!(unfit.parse::<Tokens>(), Err(UnfitTokens), "{unfit}");
        }
    }
}
