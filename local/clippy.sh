#!/bin/sh
# Compiles one crate of the workspace with Clippy, as cargo's RUSTC_WORKSPACE_WRAPPER.
exec clippy-driver "$@" -D warnings
