//! Tests of the program as a process of its own: how it starts and stops, what it refuses, and what
//! is left when it is killed.

mod access;
mod api;
mod commands;
mod files;
mod folder;
mod kill;
mod program;
mod refusals;
mod start_stop;
