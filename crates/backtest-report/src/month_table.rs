use crate::MonthlyReturns;
use crate::diverging::{diverging, full_colour_at};
use crate::html_table::{column_head, scrolling};
use crate::monthly_returns::{cell_text, share};
use crate::palette::hex;
use crate::year_rows::{MONTH_NAMES, year_rows};

/// Months as a table of text, coloured as the plot of them is. Empty without a return.
pub(crate) fn month_table(returns: &MonthlyReturns) -> String {
    let rows = year_rows(returns);
    if rows.is_empty() {
        return String::new();
    }
    let full_month = full_colour_at(rows.iter().flat_map(|row| row.months).flatten());
    let full_year = full_colour_at(rows.iter().filter_map(|row| row.total()));
    let mut body = String::new();
    for row in &rows {
        let months: String = row.months.iter().map(|value| cell(*value, full_month)).collect();
        let total = cell(row.total(), full_year);
        body += &format!("<tr><th scope=\"row\">{}</th>{months}{total}</tr>\n", row.year);
    }
    let months: String = MONTH_NAMES.map(column_head).concat();
    let head = column_head("Year") + &months + &column_head("All");
    scrolling("Returns by month", "months", &head, &body)
}

fn cell(value: Option<f64>, full: Option<f64>) -> String {
    let Some(value) = value else { return "<td></td>".to_owned() };
    let colours = diverging(share(value, full));
    let (cell, text) = (hex(colours.cell), hex(colours.text));
    format!("<td style=\"background:{cell};color:{text}\">{}</td>", cell_text(value))
}
