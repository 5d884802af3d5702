//! Plots, and self-contained pages about a backtest and about a model's answers.
//!
//! Each plot is a plain struct and a function of the same name that draws it: [`equity_curve`],
//! [`drawdown`], [`monthly_returns`], [`rolling_sharpe`], [`return_histogram`], [`exposure`],
//! [`turnover`], [`heat_grid`], [`sensitivity_lines`] and [`walk_forward`] of a backtest;
//! [`confusion_matrix`], [`reliability`], [`returns_by_action`], [`ic_by_month`] and [`outcomes`] of
//! answers. They return an SVG document; [`render`] writes the tear sheet of a backtest, and
//! [`render_evaluation`] the page about answers. Nothing is read, written or looked up: the same
//! input gives the same bytes.
//!
//! ```
//! use backtest_report::{EquityCurve, Series, Size, equity_curve};
//! use chrono::NaiveDate;
//!
//! let day = |d| NaiveDate::from_ymd_opt(2021, 3, d).unwrap_or_default();
//! let strategy = Series::new("strategy", vec![(day(1), 100_000.0), (day(2), 101_500.0)]);
//! let svg = equity_curve(&EquityCurve { strategy, ..Default::default() }, Size::default());
//! assert!(svg.starts_with("<svg") && svg.contains("2021-03-02"));
//! ```

mod bins;
mod canvas;
mod cells;
mod confusion_matrix;
mod date_ticks;
mod diverging;
mod drawdown;
mod equity_curve;
mod evaluation_page;
mod exposure;
mod frame;
mod header;
mod heat_grid;
mod html_table;
mod ic_by_month;
mod month_table;
mod monthly_returns;
mod no_data;
mod number_text;
mod outcomes;
mod page;
mod page_parts;
mod page_theme;
mod palette;
mod reliability;
mod render;
mod render_evaluation;
mod return_histogram;
mod returns_by_action;
mod rolling_sharpe;
mod scale;
mod sensitivity_lines;
mod series;
mod size;
mod strip;
mod svg_document;
mod tear_sheet;
mod text;
mod text_width;
mod thin;
mod time_frame;
mod time_lines;
mod turnover;
mod value;
mod value_axis;
mod walk_forward;
mod year_rows;

pub use confusion_matrix::{ConfusionMatrix, confusion_matrix};
pub use drawdown::{Drawdown, DrawdownSpan, drawdown};
pub use equity_curve::{AxisChoice, Band, EquityCurve, equity_curve};
pub use evaluation_page::{
    EvaluationPage, EvaluationPart, FigureCell, FigureRow, FigureTable, Meaning, SampleAnswer,
    SampleText,
};
pub use exposure::{Exposure, exposure};
pub use heat_grid::{HeatGrid, heat_grid};
pub use ic_by_month::{IcByMonth, ic_by_month};
pub use monthly_returns::monthly_returns;
pub use outcomes::{Outcomes, outcomes};
pub use reliability::{Reliability, ReliabilityCurve, ReliabilityPoint, reliability};
pub use render::render;
pub use render_evaluation::render_evaluation;
pub use return_histogram::{ReturnHistogram, ReturnMark, return_histogram};
pub use returns_by_action::{ActionReturns, ReturnsByAction, returns_by_action};
pub use rolling_sharpe::{RollingSharpe, rolling_sharpe};
pub use sensitivity_lines::{SensitivityLines, sensitivity_lines};
pub use series::Series;
pub use size::Size;
pub use tear_sheet::{
    DroppedOrders, MetricRow, MetricSection, Note, Plot, Provenance, TearSheet, Tile,
};
pub use turnover::{Turnover, turnover};
pub use value::Value;
pub use walk_forward::{FoldSharpe, WalkForward, walk_forward};
pub use year_rows::MonthlyReturns;
