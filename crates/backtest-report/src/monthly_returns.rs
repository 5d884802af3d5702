use crate::canvas::svg;
use crate::cells::Cells;
use crate::diverging::full_colour_at;
use crate::header::{MARGIN, header};
use crate::no_data::no_data;
use crate::number_text::{fixed, percent};
use crate::year_rows::{MONTH_NAMES, year_rows};
use crate::{MonthlyReturns, Size};

/// Draws [`MonthlyReturns`] as an SVG document: a row a year, a column a month, and the compounded
/// year at the right. The plot has the given width in CSS pixels and is as high as its years need.
pub fn monthly_returns(plot: &MonthlyReturns, width: u32) -> String {
    const TITLE: &str = "Monthly returns";
    const ROW: f64 = 27.0;
    const TOP: f64 = 68.0;
    let rows = year_rows(plot);
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return no_data(Size { width, height: 240 }.readable(), TITLE, "%");
    };
    let summary =
        format!("{TITLE} from {} to {} in percent, with totals by year.", first.year, last.year);
    let height = TOP + rows.len() as f64 * ROW + MARGIN;
    let size = Size { width: Size { width, height: 240 }.readable().width, height: height as u32 };
    let full_month = full_colour_at(rows.iter().flat_map(|row| row.months).flatten());
    let full_year = full_colour_at(rows.iter().filter_map(|row| row.total()));
    let limit = |full: Option<f64>| full.map_or("0%".to_owned(), |full| percent(full, 1));
    let measure = format!(
        "%, full colour at ±{} a month and ±{} a year",
        limit(full_month),
        limit(full_year)
    );
    svg(size, TITLE, &summary, |canvas| {
        header(canvas, TITLE, &measure, &[]);
        let left = MARGIN + 44.0;
        // Twelve months, a gap, and a year that is wider.
        let cell = (canvas.width - MARGIN - left - 10.0) / 13.3;
        let months = Cells { left, top: TOP, width: cell, height: ROW };
        let years = Cells { left: left + 12.0 * cell + 10.0, width: cell * 1.3, ..months };
        months.column_names(canvas, &MONTH_NAMES.map(str::to_owned), TOP - 12.0);
        years.column_names(canvas, &["Year".to_owned()], TOP - 12.0);
        let totals = rows.iter().filter_map(|row| row.total());
        let values = rows.iter().flat_map(|row| row.months).flatten().chain(totals);
        let texts: Vec<_> = values.map(cell_text).collect();
        let px = months.font_px(texts.iter().map(String::as_str));
        for (i, row) in rows.iter().enumerate() {
            months.row_name(canvas, i, &row.year.to_string());
            for (column, value) in row.months.iter().enumerate() {
                let text = value.map(cell_text);
                months.cell(canvas, (i, column), shaded(text.as_deref(), *value, full_month), px);
            }
            let total = row.total();
            let text = total.map(cell_text);
            years.cell(canvas, (i, 0), shaded(text.as_deref(), total, full_year), px);
        }
    })
}

/// A return as it stands in a cell, in percent without the sign.
pub(crate) fn cell_text(value: f64) -> String {
    fixed(value * 100.0, if value.abs() < 0.9995 { 1 } else { 0 })
}

/// A value's share of the full colour.
pub(crate) fn share(value: f64, full: Option<f64>) -> f64 {
    full.map_or(0.0, |full| value / full)
}

fn shaded(text: Option<&str>, value: Option<f64>, full: Option<f64>) -> Option<(&str, f64)> {
    Some((text?, share(value?, full)))
}
