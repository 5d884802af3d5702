use super::*;

fn embedded() -> MakeMarketArgs {
    MakeMarketArgs {
        seed: 7,
        out: None,
        stocks: None,
        first_year: 2020,
        sessions: 920,
        every: 3,
        random_actions: false,
    }
}

#[test]
fn the_committed_files_are_what_the_generator_writes() {
    let folder = root().join("fixtures/quickstart");
    for (name, text) in market_files(&embedded()).unwrap() {
        let committed = fs::read_to_string(folder.join(&name)).unwrap();
        assert!(committed == text, "{name} differs; `cargo xtask make-market` writes it anew");
    }
}
