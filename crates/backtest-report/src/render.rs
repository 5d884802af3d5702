use crate::TearSheet;
use crate::html_table::{
    drawdown_table, dropped_table, metric_table, provenance_table, settings_table, value_table,
};
use crate::month_table::month_table;
use crate::page::{Page, Part, write_page};
use crate::page_parts::{aside, figure, if_any, notes, tiles, warnings};
use crate::text::escape;

/// Writes a page that needs nothing else: no script, no font, no connection. It follows the
/// reader's light or dark scheme, and prints in the light one.
pub fn render(sheet: &TearSheet) -> String {
    let mut top = warnings(&sheet.notes) + &tiles(&sheet.headline);
    top.extend(sheet.plots.first().map(figure));
    write_page(Page {
        title: &sheet.title,
        subtitle: &sheet.subtitle,
        period: sheet.period,
        css: "",
        top,
        parts: parts(sheet),
    })
}

/// The parts of the page, in their order.
fn parts(sheet: &TearSheet) -> Vec<Part> {
    let months = Part {
        link: "Months".to_owned(),
        ..Part::new("months", "Returns by month, in percent", month_table(&sheet.monthly))
    };
    vec![
        Part::new("metrics", "Metrics", metrics(sheet)),
        Part::new("plots", "Plots", sheet.plots.iter().skip(1).map(figure).collect()),
        months,
        Part::new("drawdowns", "Drawdowns", drawdowns(sheet)),
        Part::new("trading", "Trading", trading(sheet)),
        Part::new("notes", "Notes", notes(&sheet.notes)),
        Part::new("settings", "Settings", if_any(&sheet.settings, settings_table)),
        Part::new("provenance", "Provenance", provenance_table(&sheet.provenance)),
    ]
}

fn metrics(sheet: &TearSheet) -> String {
    let mut html = String::new();
    for section in &sheet.sections {
        html += &format!("<h3>{}</h3>\n{}", escape(&section.title), aside(&section.note));
        html += &metric_table(section);
    }
    html
}

fn drawdowns(sheet: &TearSheet) -> String {
    const DAYS: &str = "Calendar days between closes. Depth is equity at the trough over that at the peak, minus 1.";
    if_any(&sheet.drawdowns, |rows| aside(DAYS) + &drawdown_table(rows))
}

fn trading(sheet: &TearSheet) -> String {
    let fills = if_any(&sheet.fills, |rows| value_table("Fills", rows));
    let dropped = if_any(&sheet.dropped, |rows| {
        format!("<h3>Orders that were not filled</h3>\n{}", dropped_table(rows))
    });
    fills + &dropped
}
