//! Handlers of unique ids, their published counts, and callbacks.

pub mod accept;
pub mod callback_send;
pub mod callback_test;
pub mod count_list;
pub mod minute_close;
