# Short names for the commands of the README; nothing is done here that cargo does not do.

# list the names
default:
    @just --list

# theses to tear sheet: quickstart | smollm2 | a file, and any flag of the pipeline
pipeline profile="quickstart" *flags="":
    cargo xtask pipeline --profile {{profile}} {{flags}}

# every check, cheapest first
ci:
    cargo xtask ci

test:
    cargo test --workspace

# ingest | build-dataset | backtest | generate | train
throughput stage="ingest":
    cargo xtask throughput {{stage}}

bench:
    cargo bench --package thesisforge-benches

# the kernels of graphics processors, on Vulkan in software; with --cuda on a graphics processor
test-kernels *flags="":
    cargo xtask test-kernels {{flags}}

# a small real model into models/
fetch-model name="smollm2":
    cargo xtask fetch-model {{name}}

# the XML reader against any bytes (nightly)
fuzz:
    cargo +nightly fuzz run thesis_xml fixtures/fuzz/thesis-xml -- -dict=fuzz/thesis_xml.dict

# the headers of checkpoints against any bytes (nightly): gguf | safetensors
fuzz-headers target="gguf":
    cargo +nightly fuzz run {{target}} fixtures/fuzz/{{target}} -- -rss_limit_mb=512 -malloc_limit_mb=64
