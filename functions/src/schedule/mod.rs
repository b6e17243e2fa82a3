//! Handlers of scheduled jobs and their schedules, and the workers that run them.

pub mod job_create;
pub mod job_delete;
pub mod job_get;
pub mod job_list;
pub mod job_pause;
pub mod job_put;
pub mod job_resume;
pub mod job_run;
pub mod job_run_list;
pub mod preview;
pub mod run;
pub mod schedule_delete;
pub mod schedule_get;
pub mod schedule_put;
pub mod tick;
