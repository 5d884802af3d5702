//! Writes every plot, the awkward cases, a tear sheet and a page about answers into a folder, all from made-up data:
//! `cargo run -p backtest-report --example gallery -- FOLDER`.

mod answers_page;
mod awkward;
mod judgement;
mod market;
mod plots;
mod sheet;

use std::error::Error;
use std::fs;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let folder =
        std::env::args_os().nth(1).map(PathBuf::from).ok_or("name a folder to write to")?;
    fs::create_dir_all(&folder)?;
    let market = market::market(2_516, 7);
    let plots = plots::plots(&market);
    let page = backtest_report::render(&sheet::sheet(&market, &plots));
    fs::write(folder.join("tear-sheet.html"), page)?;
    let judged = judgement::judgement_plots();
    let page = backtest_report::render_evaluation(&answers_page::answers_page(&judged));
    fs::write(folder.join("evaluation.html"), page)?;
    let awkward = awkward::awkward().into_iter().chain(judgement::awkward_judgement_plots());
    for (name, svg) in plots.into_iter().chain(judged).chain(awkward) {
        fs::write(folder.join(format!("{name}.svg")), svg)?;
    }
    Ok(())
}
