//! Access control: which token each endpoint requires, and the tokens of operators.
//!
//! Closed by default: an endpoint that its row of [`crate::routes`] does not open requires an
//! operator's token with a [`Role`], or the own token of the order that it is about
//! ([`crate::orders::OrderTokens`]). Without a configured token no closed endpoint is reachable.
//!
//! The deployment stores only the SHA-256 of operators' tokens. Each role may have two, so that a
//! token can be replaced without interruption: first configure both, then the new one alone once
//! every caller has it. All hashes are compared in constant time, so that response times reveal
//! nothing about them.
//!
//! Not covered: who an operator is. All tokens of a role are the same caller.

use std::{fmt, str::FromStr};

use subtle::{Choice, ConstantTimeEq};

use crate::{
    digest::sha256,
    env::{VariableError, Variables},
};

/// The header with the own token of an order.
pub const ORDER_TOKEN: &str = "order-token";

/// The settings of access control.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The tokens with the role [`Role::Admin`]; `None`: there is none.
    pub admin: Option<Tokens>,
    /// The tokens with the role [`Role::Read`]; `None`: there is none.
    pub read: Option<Tokens>,
    /// The switches that are set.
    pub closed: Vec<Switch>,
    /// The name or ARN of the secret in Secrets Manager that signs the tokens of orders.
    pub order_secret_id: String,
}

impl Settings {
    /// Reads `ADMIN_TOKEN_SHA256`, `READ_TOKEN_SHA256`, `ORDER_SECRET_ID`, and the variable of
    /// each [`Switch`].
    pub fn read(variables: &Variables<'_>) -> Result<Self, VariableError> {
        let mut closed = Vec::new();
        for switch in Switch::ALL {
            if variables.parsed(switch.variable(), false)? {
                closed.push(switch);
            }
        }
        Ok(Self {
            admin: variables.secret("ADMIN_TOKEN_SHA256")?,
            read: variables.secret("READ_TOKEN_SHA256")?,
            closed,
            order_secret_id: variables.parsed("ORDER_SECRET_ID", "order-secret".to_owned())?,
        })
    }
}

/// What the token of an operator permits. A greater role includes the smaller one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Looks at everything and changes nothing.
    Read,
    /// Does everything.
    Admin,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Admin => "admin",
        })
    }
}

/// What an endpoint requires of its callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Open,
    /// Nothing, unless the deployment sets the switch: then the switch's role.
    OpenUnless(Switch),
    /// An operator's token with this role.
    Operator(Role),
    /// The order's own token, or an operator's with this role. The endpoint verifies the order's
    /// token; a request without any is refused before.
    OrderOr(Role),
}

/// A setting that closes an endpoint which is open by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// Counting ids.
    Accept,
    /// Placing orders.
    Orders,
    /// The test receiver of webhooks.
    Test,
}

impl Switch {
    const ALL: [Self; 3] = [Self::Accept, Self::Orders, Self::Test];

    const fn variable(self) -> &'static str {
        match self {
            Self::Accept => "ACCEPT_NEEDS_TOKEN",
            Self::Orders => "ORDERS_NEED_TOKEN",
            Self::Test => "TEST_NEEDS_TOKEN",
        }
    }

    /// The role that the endpoint requires once it is closed, and of every token that it is sent.
    #[must_use]
    pub const fn role(self) -> Role {
        match self {
            Self::Accept | Self::Orders => Role::Admin,
            Self::Test => Role::Read,
        }
    }
}

/// Who sent a request, as far as operators' tokens tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Anybody. At [`Access::OrderOr`] the request has an order's token, which is not verified yet.
    Anonymous,
    /// An operator whose role permits the request.
    Operator(Role),
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// The endpoint requires a token, and the request has none.
    #[error("A token is required: Authorization: Bearer <token>")]
    Missing,
    /// The endpoint requires a token or that of the order, and the request has neither.
    #[error("A token is required: Order-Token: <token>, or Authorization: Bearer <token>")]
    MissingForOrder,
    /// The token is not one of the deployment.
    #[error("The token is not valid")]
    Unknown,
    /// The token is not that of the order. Whether the order exists is not told.
    #[error("The token is not the one of this order")]
    NotOfOrder,
    /// The token has a smaller role than the request requires.
    #[error("The token does not permit this: the role {0} is required")]
    Insufficient(Role),
}

impl Settings {
    /// Decides on a request to an endpoint by its header `Authorization`. A bearer token must be
    /// valid wherever it is sent, since what a request does can depend on its caller.
    ///
    /// # Errors
    /// The request has no token, an unknown one, or one whose role does not permit it.
    pub fn admit(
        &self,
        access: Access,
        authorization: Option<&str>,
        has_order_token: bool,
    ) -> Result<Caller, AccessError> {
        let caller = self.identify(authorization)?;
        let required = match (access, caller) {
            (Access::Open, _) => return Ok(caller),
            (Access::OpenUnless(switch), Caller::Anonymous) if !self.closed.contains(&switch) => {
                return Ok(caller);
            }
            (Access::OpenUnless(switch), _) => switch.role(),
            (Access::Operator(role) | Access::OrderOr(role), _) => role,
        };
        match (caller, access) {
            (Caller::Operator(role), _) if role >= required => Ok(caller),
            (_, Access::OrderOr(_)) if has_order_token => Ok(Caller::Anonymous),
            (Caller::Operator(_), _) => Err(AccessError::Insufficient(required)),
            (Caller::Anonymous, Access::OrderOr(_)) => Err(AccessError::MissingForOrder),
            (Caller::Anonymous, _) => Err(AccessError::Missing),
        }
    }

    /// Finds the operator by the bearer token. Other schemes than `Bearer` are not ours.
    fn identify(&self, authorization: Option<&str>) -> Result<Caller, AccessError> {
        let token = authorization
            .and_then(|header| header.split_once(' '))
            .filter(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer") && !token.is_empty());
        let Some((_, token)) = token else { return Ok(Caller::Anonymous) };
        let hash = Tokens::hash(token);
        let is_of = |tokens: &Option<Tokens>| tokens.as_ref().is_some_and(|all| all.contain(&hash));
        // Both roles are compared, whichever matches.
        match (is_of(&self.admin), is_of(&self.read)) {
            (true, _) => Ok(Caller::Operator(Role::Admin)),
            (_, true) => Ok(Caller::Operator(Role::Read)),
            _ => Err(AccessError::Unknown),
        }
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

    fn contain(&self, hash: &str) -> bool {
        // All hashes are compared, even after a match.
        self.0
            .iter()
            .fold(Choice::from(0), |found, known| found | hash.as_bytes().ct_eq(known.as_bytes()))
            .into()
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

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({})", self.0.len())
    }
}

#[cfg(test)]
mod tests;
