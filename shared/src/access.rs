//! Who may call: whoever has a token, where a token is asked for.
//!
//! The deployment knows a token's SHA-256 only, of one token or of two, so that one is replaced by another without a gap: first both, and the new one
//! alone once every caller has it. All are compared, in constant time, so that an answer's time tells nothing of them.
//!
//! Not covered: who a caller is. All tokens may do the same.

use std::str::FromStr;

use subtle::{Choice, ConstantTimeEq};

use crate::{
    digest::sha256,
    env::{VariableError, Variables},
};

/// What is asked for a token.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The tokens that are known. None: no token is good.
    pub tokens: Option<Tokens>,
    /// Nobody is asked for a token. Only for the local cloud.
    pub allow_anonymous: bool,
    /// Of those that ask where the deployment says so: those that do.
    pub protected: Vec<Access>,
}

impl Settings {
    /// Reads `ACCESS_TOKEN_SHA256`, `ALLOW_ANONYMOUS`, `ACCEPT_NEEDS_TOKEN`, `ORDERS_NEED_TOKEN` and
    /// `FIGURES_NEED_TOKEN`.
    pub fn read(variables: &Variables<'_>) -> Result<Self, VariableError> {
        let switches = [
            variables.parsed("ACCEPT_NEEDS_TOKEN", false)?.then_some(Access::Accept),
            variables.parsed("ORDERS_NEED_TOKEN", false)?.then_some(Access::Orders),
            variables.parsed("FIGURES_NEED_TOKEN", false)?.then_some(Access::Figures),
        ];
        Ok(Self {
            tokens: variables.secret("ACCESS_TOKEN_SHA256")?,
            allow_anonymous: variables.local_only("ALLOW_ANONYMOUS")?,
            protected: switches.into_iter().flatten().collect(),
        })
    }
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
pub enum AccessError {
    /// The request has no bearer token.
    #[error("A bearer token is required: Authorization: Bearer <token>")]
    Unauthorized,
    /// The deployment does not know the token.
    #[error("The token is not valid")]
    Forbidden,
}

impl Settings {
    /// Whether an endpoint may be called with this header `Authorization`.
    pub fn check(&self, access: Access, authorization: Option<&str>) -> Result<(), AccessError> {
        let asks = match access {
            Access::Open => false,
            Access::Token => true,
            switched => self.protected.contains(&switched),
        };
        if !asks || self.allow_anonymous {
            return Ok(());
        }
        let (scheme, token) = authorization
            .and_then(|header| header.split_once(' '))
            .ok_or(AccessError::Unauthorized)?;
        if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
            return Err(AccessError::Unauthorized);
        }
        let known = self.tokens.as_ref().is_some_and(|tokens| tokens.know(token));
        known.then_some(()).ok_or(AccessError::Forbidden)
    }
}

/// The SHA-256 of one token or two, in small hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens(Vec<String>);

/// A text that is no such list. The message does not repeat it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "must be the SHA-256 of one token, or of two parted by a comma, each of 64 hexadecimal digits"
)]
pub struct InvalidTokens;

impl FromStr for Tokens {
    type Err = InvalidTokens;

    fn from_str(text: &str) -> Result<Self, InvalidTokens> {
        let hashes: Vec<String> =
            text.split(',').map(|hash| hash.trim().to_ascii_lowercase()).collect();
        let is_hash =
            |hash: &String| hash.len() == 64 && hash.bytes().all(|digit| digit.is_ascii_hexdigit());
        (hashes.len() <= 2 && hashes.iter().all(is_hash))
            .then_some(Self(hashes))
            .ok_or(InvalidTokens)
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
        self.0
            .iter()
            .fold(Choice::from(0), |known, hash| known | given.as_bytes().ct_eq(hash.as_bytes()))
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(tokens: &[&str]) -> Settings {
        let hashes: Vec<String> = tokens.iter().map(|token| sha256(token.as_bytes())).collect();
        let tokens = (!hashes.is_empty()).then(|| hashes.join(",").parse().expect("hashes"));
        Settings { tokens, allow_anonymous: false, protected: vec![Access::Orders] }
    }

    #[test]
    fn a_known_token_opens_and_no_other() {
        let both = settings(&["old", "new"]);
        for (authorization, answer) in [
            (Some("Bearer old"), Ok(())),
            (Some("bearer new"), Ok(())),
            (Some("Bearer other"), Err(AccessError::Forbidden)),
            (Some("Bearer old "), Err(AccessError::Forbidden)),
            (Some("Bearer "), Err(AccessError::Unauthorized)),
            (Some("Bearer"), Err(AccessError::Unauthorized)),
            (Some("Basic old"), Err(AccessError::Unauthorized)),
            (Some("old"), Err(AccessError::Unauthorized)),
            (Some(""), Err(AccessError::Unauthorized)),
            (None, Err(AccessError::Unauthorized)),
        ] {
            assert_eq!(both.check(Access::Token, authorization), answer, "{authorization:?}");
        }
        assert_eq!(
            settings(&["new"]).check(Access::Token, Some("Bearer old")),
            Err(AccessError::Forbidden)
        );
        assert_eq!(
            settings(&[]).check(Access::Token, Some("Bearer old")),
            Err(AccessError::Forbidden),
            "none is good"
        );
    }

    #[test]
    fn what_is_open_asks_nobody_and_what_is_switched_asks_where_it_is_switched() {
        let settings = settings(&["token"]);
        for (access, open) in [
            (Access::Open, true),
            (Access::Accept, true),
            (Access::Figures, true),
            (Access::Orders, false),
        ] {
            assert_eq!(settings.check(access, None).is_ok(), open, "{access:?}");
        }
        let anonymous = Settings { allow_anonymous: true, ..settings };
        assert_eq!(anonymous.check(Access::Token, None), Ok(()));
    }

    #[test]
    fn only_one_or_two_hashes_are_tokens() {
        let hash = sha256(b"token");
        let fit =
            [hash.clone(), format!("{hash},{hash}"), format!("{hash}, {}", hash.to_uppercase())];
        assert!(fit.iter().all(|text| text.parse::<Tokens>().is_ok()));
        for unfit in [
            "",
            "token",
            ",",
            &hash[1..],
            &format!("{hash},"),
            &format!("{hash},{hash},{hash}"),
            &"+1".repeat(32),
        ] {
            assert_eq!(unfit.parse::<Tokens>(), Err(InvalidTokens), "{unfit}");
        }
    }
}
