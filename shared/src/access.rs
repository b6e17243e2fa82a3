//! Access control: bearer tokens, for the endpoints that require one.
//!
//! The deployment stores only the SHA-256 of its tokens. There may be two, so that a token can be
//! replaced without interruption: first configure both, then the new one alone once every caller
//! has it. All hashes are compared in constant time, so that response times reveal nothing about
//! them.
//!
//! Not covered: the identity of callers. All tokens have the same rights.

use std::str::FromStr;

use subtle::{Choice, ConstantTimeEq};

use crate::{
    digest::sha256,
    env::{VariableError, Variables},
};

/// The settings of access control.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The hashes of the valid tokens; `None`: no token is valid.
    pub tokens: Option<Tokens>,
    /// Requires no token on any endpoint. Only for the local cloud.
    pub allow_anonymous: bool,
    /// The optional kinds of access that require a token in this deployment.
    pub protected: Vec<Access>,
}

impl Settings {
    /// Reads `ACCESS_TOKEN_SHA256`, `ALLOW_ANONYMOUS`, `ACCEPT_NEEDS_TOKEN`, `ORDERS_NEED_TOKEN`
    /// and `FIGURES_NEED_TOKEN`.
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

/// Whether an endpoint requires a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Always: the endpoint changes or reveals money or schedules.
    Token,
    /// Never.
    Open,
    /// If `ACCEPT_NEEDS_TOKEN` is set.
    Accept,
    /// If `ORDERS_NEED_TOKEN` is set.
    Orders,
    /// If `FIGURES_NEED_TOKEN` is set.
    Figures,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// The request has no bearer token.
    #[error("A bearer token is required: Authorization: Bearer <token>")]
    Unauthorized,
    /// The token is not one of the deployment.
    #[error("The token is not valid")]
    Forbidden,
}

impl Settings {
    /// Checks the header `Authorization` of a request to an endpoint.
    pub fn check(&self, access: Access, authorization: Option<&str>) -> Result<(), AccessError> {
        let requires_token = match access {
            Access::Open => false,
            Access::Token => true,
            optional => self.protected.contains(&optional),
        };
        if !requires_token || self.allow_anonymous {
            return Ok(());
        }
        let (scheme, token) = authorization
            .and_then(|header| header.split_once(' '))
            .ok_or(AccessError::Unauthorized)?;
        if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
            return Err(AccessError::Unauthorized);
        }
        let is_valid = self.tokens.as_ref().is_some_and(|tokens| tokens.contains(token));
        is_valid.then_some(()).ok_or(AccessError::Forbidden)
    }
}

/// The SHA-256 of one token or two, in lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens(Vec<String>);

impl Tokens {
    /// Returns the hash of a token, as this setting holds it.
    #[must_use]
    pub fn hash(token: &str) -> String {
        sha256(token.as_bytes())
    }
}

/// A text that is not a list of one or two hashes. The message does not repeat it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "must be the SHA-256 of one token, or of two separated by a comma, each of 64 hexadecimal \
     digits"
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
    fn contains(&self, token: &str) -> bool {
        let token = sha256(token.as_bytes());
        // All hashes are compared, even after a match.
        self.0
            .iter()
            .fold(Choice::from(0), |found, hash| found | token.as_bytes().ct_eq(hash.as_bytes()))
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
    fn only_a_valid_token_is_accepted() {
        let both = settings(&["old", "new"]);
        for (authorization, expected) in [
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
            assert_eq!(both.check(Access::Token, authorization), expected, "{authorization:?}");
        }
        assert_eq!(
            settings(&["new"]).check(Access::Token, Some("Bearer old")),
            Err(AccessError::Forbidden)
        );
        assert_eq!(
            settings(&[]).check(Access::Token, Some("Bearer old")),
            Err(AccessError::Forbidden),
            "no token is valid"
        );
    }

    #[test]
    fn open_endpoints_require_no_token_and_optional_ones_only_if_configured() {
        let settings = settings(&["token"]);
        for (access, is_open) in [
            (Access::Open, true),
            (Access::Accept, true),
            (Access::Figures, true),
            (Access::Orders, false),
        ] {
            assert_eq!(settings.check(access, None).is_ok(), is_open, "{access:?}");
        }
        let anonymous = Settings { allow_anonymous: true, ..settings };
        assert_eq!(anonymous.check(Access::Token, None), Ok(()));
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
}
