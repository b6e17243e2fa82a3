//! Transactions that are sent twice.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::{Duration, Instant},
};

use dynoxide::{Result, actions::transact_write_items::TransactWriteItemsResponse};
use serde_json::Value;

use super::DynoxideError;

/// How long DynamoDB remembers a token.
const WINDOW: Duration = Duration::from_mins(10);

/// The number of tokens that are remembered: some 10 MB.
const CAPACITY: usize = 65_536;

/// The tokens of the latest transactions that succeeded.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    fingerprints: HashMap<Arc<str>, u64>,
    /// The tokens, and when their transactions were executed.
    by_age: VecDeque<(Instant, Arc<str>)>,
    /// The number of tokens that were ever remembered.
    remembered: u64,
}

impl Tokens {
    /// Executes a transaction, unless one with its token has succeeded already. Only a transaction
    /// with the same fingerprint may have the same token.
    pub(super) fn once(
        &mut self,
        token: &str,
        fingerprint: u64,
        now: Instant,
        transact: impl FnOnce() -> Result<TransactWriteItemsResponse>,
    ) -> Result<TransactWriteItemsResponse> {
        self.forget(now);
        match self.fingerprints.get(token) {
            Some(known) if *known == fingerprint => Ok(TransactWriteItemsResponse::default()),
            Some(_) => Err(DynoxideError::IdempotentParameterMismatchException(
                "ClientRequestToken: another transaction has this token".into(),
            )),
            None => {
                let response = transact()?;
                self.remember(token, fingerprint, now);
                Ok(response)
            }
        }
    }

    /// Returns the number of tokens so far, for [`Self::forget_since`].
    pub(super) fn remembered(&self) -> u64 {
        self.remembered
    }

    /// Forgets the tokens that were remembered after the first `remembered` ones: their
    /// transactions were rolled back.
    pub(super) fn forget_since(&mut self, remembered: u64) {
        while self.remembered > remembered {
            self.remembered -= 1;
            if let Some((_, token)) = self.by_age.pop_back() {
                self.fingerprints.remove(&token);
            }
        }
    }

    fn remember(&mut self, token: &str, fingerprint: u64, now: Instant) {
        let token: Arc<str> = token.into();
        self.fingerprints.insert(Arc::clone(&token), fingerprint);
        self.by_age.push_back((now, token));
        self.remembered += 1;
    }

    /// Forgets old tokens, and leaves space for another one.
    fn forget(&mut self, now: Instant) {
        while let Some((executed, token)) = self.by_age.front()
            && (self.by_age.len() >= CAPACITY || now.duration_since(*executed) >= WINDOW)
        {
            self.fingerprints.remove(token);
            self.by_age.pop_front();
        }
    }
}

/// Returns what distinguishes a transaction from another one: its items, in any order of their
/// attributes.
pub(super) fn fingerprint(transaction: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    transaction["TransactItems"].hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::{from_str, json};

    use super::*;

    /// Whether the transaction is executed.
    fn is_executed(tokens: &mut Tokens, token: &str, now: Instant) -> bool {
        let mut executed = false;
        let transact = || {
            executed = true;
            Ok(TransactWriteItemsResponse::default())
        };
        tokens.once(token, 1, now, transact).expect("no mismatch");
        executed
    }

    #[test]
    fn a_token_is_executed_once_within_ten_minutes() {
        let (mut tokens, start) = (Tokens::default(), Instant::now());
        assert!(is_executed(&mut tokens, "a", start));
        assert!(is_executed(&mut tokens, "b", start));
        assert!(!is_executed(&mut tokens, "a", start + Duration::from_secs(599)));
        assert!(is_executed(&mut tokens, "a", start + WINDOW));
    }

    #[test]
    fn a_failed_transaction_is_executed_again() {
        let (mut tokens, start) = (Tokens::default(), Instant::now());
        let fail = || Err(DynoxideError::InternalServerError("disk full".into()));
        tokens.once("a", 1, start, fail).expect_err("the failure");
        assert!(is_executed(&mut tokens, "a", start));
    }

    #[test]
    fn another_transaction_with_the_same_token_is_refused() {
        let (mut tokens, start) = (Tokens::default(), Instant::now());
        assert!(is_executed(&mut tokens, "a", start));
        let refused = tokens.once("a", 2, start, || panic!("executed")).expect_err("a mismatch");
        assert!(matches!(refused, DynoxideError::IdempotentParameterMismatchException(_)));
    }

    #[test]
    fn a_transaction_that_was_rolled_back_is_executed_again() {
        let (mut tokens, start) = (Tokens::default(), Instant::now());
        assert!(is_executed(&mut tokens, "a", start));
        let before = tokens.remembered();
        assert!(is_executed(&mut tokens, "b", start));
        tokens.forget_since(before);
        assert!(!is_executed(&mut tokens, "a", start));
        assert!(is_executed(&mut tokens, "b", start));
    }

    #[test]
    fn tokens_beyond_the_capacity_are_forgotten_oldest_first() {
        let (mut tokens, start) = (Tokens::default(), Instant::now());
        for token in 0..=CAPACITY {
            assert!(is_executed(&mut tokens, &token.to_string(), start));
        }
        assert_eq!(tokens.fingerprints.len(), CAPACITY);
        assert!(!is_executed(&mut tokens, "2", start));
        assert!(is_executed(&mut tokens, "0", start));
    }

    #[test]
    fn a_fingerprint_does_not_depend_on_the_order_of_attributes() {
        let a =
            r#"{"ClientRequestToken": "1", "TransactItems": [{"a": 1, "b": {"c": 2, "d": 3}}]}"#;
        let b =
            r#"{"TransactItems": [{"b": {"d": 3, "c": 2}, "a": 1}], "ClientRequestToken": "2"}"#;
        let read = |text: &str| fingerprint(&from_str(text).expect("JSON"));
        assert_eq!(read(a), read(b));
        assert_ne!(read(a), fingerprint(&json!({ "TransactItems": [{ "a": 2 }] })));
    }
}
