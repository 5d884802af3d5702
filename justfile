# Short names for the commands of the README; nothing is done here that cargo does not do.

# list the names
default:
    @just --list

# every check, cheapest first
ci:
    cargo xtask ci

test:
    cargo test --workspace

# ingest | build-dataset | backtest
throughput stage="ingest":
    cargo xtask throughput {{stage}}

bench:
    cargo bench --package thesisforge-benches

# the XML reader against any bytes (nightly)
fuzz:
    cargo +nightly fuzz run thesis_xml fixtures/fuzz/thesis-xml -- -dict=fuzz/thesis_xml.dict
