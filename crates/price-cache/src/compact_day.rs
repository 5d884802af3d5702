use chrono::NaiveDate;

/// The day that a number such as 20270630 writes, as the tables of this crate do.
pub(crate) const fn day(number: u32) -> NaiveDate {
    let (year, month) = ((number / 10_000) as i32, number / 100 % 100);
    match NaiveDate::from_ymd_opt(year, month, number % 100) {
        Some(date) => date,
        // Of the tables here, tests show that it does not happen.
        None => NaiveDate::MIN,
    }
}
