#!/bin/sh
# Documents a library, as the RUSTDOC of `cargo test --doc`, which wants to run examples instead:
# against what the tests have compiled, where `cargo doc` compiles every dependency again.
for argument; do
    shift
    case "$previous $argument" in
        "--test-"*) ;;
        *" --test" | *" --test-"*) ;;
        *) set -- "$@" "$argument" ;;
    esac
    previous=$argument
done
exec rustdoc "$@" -D warnings --out-dir "${CARGO_TARGET_DIR:-target}/doc"
