//! Once in one process: its functions behind an HTTP server, without AWS.
//!
//! | module | what |
//! |---|---|
//! | [`background`] | `once start` and `once stop`: the same in the background |
//! | [`backup`] | `once backup` and `once restore` |
//! | [`serve`] | `once serve`: from its options to the end of the process |
//! | [`play`] | `once play`: the main job of every feature |
//! | [`redrive`] | `once redrive` |
//! | `process` | everything that a process holds, and the order in which it starts and stops |
//! | `settings` | what the template and the environment set |
//! | `data` | the folder with the data, or its replacement in memory |
//! | `keys`, `env_file` | the keys of the process, and the file with which other programs find it |
//! | [`front`] | the HTTP server in the place of API Gateway |
//! | `functions` | the handlers of the template's functions |
//! | `api` | the functions behind the front |
//! | `worker` | the functions behind queues |
//! | `rules` | the functions that run each minute, and the removal of what has expired |
//!
//! The functions are those that are deployed to AWS, and so are their settings, tables, queues,
//! time-outs and limits: all of them are read from `template.yaml`. The services are those of
//! [`embedded`].

mod api;
pub mod background;
pub mod backup;
mod data;
mod env_file;
pub mod front;
mod functions;
mod keys;
pub mod play;
mod process;
pub mod redrive;
mod rules;
pub mod serve;
mod settings;
mod worker;
