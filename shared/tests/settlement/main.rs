//! Settlement: a transaction is settled once a run.

mod cancelling;
mod chaos;
mod costs;
mod crashes;
mod cutoff;
mod defects;
mod ledger;
mod metered;
mod recovering;
mod settled;
