use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, Utc};
use thesis_core::{Bar, Severity, Ticker};

use crate::error::io_error;
use crate::{
    Calendar, CheckConfig, CorporateAction, DateRanges, Fetched, Finding, Policy, PriceError,
    PriceFile, PriceMeta, PriceSource, SourceError, as_of, at_or_after, check_bars, close_instant,
};

/// Known bars that are fetched again with new ones, to see whether the source has rewritten them.
const OVERLAP: usize = 5;

/// How far a price fetched again may stand from the known one, as a share of it. Sources compute
/// adjusted prices in single precision.
const ROUNDING: f64 = 1e-5;

/// A day without a bar is taken for one that has none when it is so many days old. A source may
/// publish a session late.
const LATE: Days = Days::new(7);

/// How old a half-written file is before it is taken for one of a killed process.
const ABANDONED: Duration = Duration::from_secs(3600);

/// A folder with one Parquet file a ticker, `AAPL.parquet`, each as [`PriceFile`] describes it.
///
/// Files are replaced whole, so a reader needs no lock, and a process killed while it writes leaves
/// the earlier file. Updates of one ticker wait for each other, across processes, on the lock file
/// `.AAPL.lock`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceCache {
    folder: PathBuf,
}

/// What an update goes by.
#[derive(Debug, Clone, Copy)]
pub struct UpdateSettings<'a> {
    /// The sessions: what may be missing, and which days are not worth a question. Without one
    /// every day may have a bar.
    pub calendar: Option<&'a Calendar>,
    /// What the series is checked for.
    pub checks: CheckConfig,
    /// The time now: a bar of a session that is still open is not taken.
    pub now: DateTime<Utc>,
}

/// What an update did.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// What the cache holds now.
    pub file: PriceFile,
    /// How often a source was asked for bars; 0 where nothing was missing.
    pub requests: usize,
    /// Bars that were not there before; of a history fetched again, all of its bars.
    pub new_bars: usize,
    /// Why the whole history was fetched again, where it was.
    pub refetched: Option<String>,
    /// What a person should know: a source that failed, faults of bars.
    pub notes: Vec<Note>,
}

/// Something about a ticker's update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// An error where a bar was left out.
    pub severity: Severity,
    /// In words.
    pub message: String,
}

impl PriceCache {
    /// Opens a cache, making its folder where there is none.
    ///
    /// # Errors
    /// [`PriceError::Io`] where the folder cannot be made.
    pub fn open(folder: &Path) -> Result<Self, PriceError> {
        fs::create_dir_all(folder).map_err(io_error("create", folder))?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Where the file of `ticker` is, be it there or not.
    pub fn path(&self, ticker: &Ticker) -> PathBuf {
        self.folder.join(format!("{ticker}.parquet"))
    }

    /// All that is there of `ticker`; `None` where nothing is.
    ///
    /// # Errors
    /// Those of [`PriceFile::read`].
    pub fn read(&self, ticker: &Ticker) -> Result<Option<PriceFile>, PriceError> {
        match PriceFile::read(&self.path(ticker)) {
            Ok(file) => Ok(Some(file)),
            Err(PriceError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The bars of `ticker` from `from` to `to`, both included; `None` where nothing of it is there.
    ///
    /// # Errors
    /// Those of [`PriceFile::read`].
    pub fn get(
        &self,
        ticker: &Ticker,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Option<Vec<Bar>>, PriceError> {
        let file = self.read(ticker)?;
        Ok(file.map(|file| {
            let begin = at_or_after(&file.bars, from).unwrap_or(file.bars.len());
            let end = as_of(&file.bars, to).map_or(0, |last| last + 1);
            file.bars.get(begin..end).unwrap_or_default().to_vec()
        }))
    }

    /// Removes what killed processes left half-written, an hour after their last write.
    ///
    /// # Errors
    /// [`PriceError::Io`] where the folder cannot be read or a file not be removed.
    pub fn remove_leftovers(&self, now: DateTime<Utc>) -> Result<(), PriceError> {
        for entry in fs::read_dir(&self.folder).map_err(io_error("read", &self.folder))? {
            let entry = entry.map_err(io_error("read", &self.folder))?;
            let partial = entry.file_name().to_string_lossy().starts_with(".partial-");
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            let age = modified
                .ok()
                .and_then(|at| std::time::SystemTime::from(now).duration_since(at).ok());
            if partial && age.is_some_and(|age| age >= ABANDONED) {
                let path = entry.path();
                fs::remove_file(&path).map_err(io_error("remove", &path))?;
            }
        }
        Ok(())
    }

    /// Brings the bars of `ticker` from `from` to `to` into the cache, asking for what is missing.
    ///
    /// Sources are asked in their order until one answers. What was fetched before stays as long as
    /// the answer comes from the same source under the same adjustment, and some known bars that
    /// are fetched along have not changed. Otherwise, and where a split or dividend is new, the
    /// whole history is fetched again, so that a file never mixes two states of adjustment. To see
    /// that, new days are fetched along with all days between them and the known ones.
    ///
    /// Sessions that have not ended at `settings.now` are left for a later update, by the hours of
    /// the New York Stock Exchange. A local source is always asked for all of it. Days known to have no bar are not asked for again, once they
    /// are a week old.
    ///
    /// # Errors
    /// [`PriceError::NotFinished`] where nothing is known and no session of these days has ended,
    /// [`PriceError::NoSource`] where no source gave prices, [`PriceError::Check`] where a check
    /// refuses them, [`PriceError::Columns`] where another program's file is in the place, and those
    /// of reading and writing. The cache is then as it was.
    pub fn update(
        &self,
        ticker: &Ticker,
        from: NaiveDate,
        to: NaiveDate,
        sources: &[&dyn PriceSource],
        settings: &UpdateSettings,
    ) -> Result<Update, PriceError> {
        let _lock = self.lock(ticker)?;
        let mut notes = Vec::new();
        let old = match self.read(ticker) {
            Ok(old) => old,
            Err(error @ (PriceError::Damaged { .. } | PriceError::Parquet { .. })) => {
                notes.push(warning(format!("{error}; its prices are fetched again")));
                None
            }
            Err(error) => return Err(error),
        };
        let wanted = (from, last_finished(to, settings.now));
        if old.is_none() && wanted.0 > wanted.1 {
            let (first, last) = (from, to);
            return Err(PriceError::NotFinished { ticker: ticker.clone(), first, last });
        }
        let known = old.as_ref().map(|old| old.meta.fetched.clone()).unwrap_or_default();
        let missing = missing(&known, wanted, settings.calendar);
        let is_local = sources.first().is_some_and(|source| source.is_local());
        if let (Some(file), true) = (&old, missing.is_empty() && !is_local) {
            let file = file.clone();
            return Ok(Update { file, requests: 0, new_bars: 0, refetched: None, notes });
        }

        let mut reasons = Vec::new();
        let mut nothing = None;
        for source in sources {
            let mut attempt =
                Attempt { ticker, source: *source, old: old.as_ref(), settings, requests: 0 };
            match attempt.fetch(wanted, &missing) {
                // A source that has nothing at all may lack the ticker; another may have it.
                Ok(answer) if answer.file.bars.is_empty() => {
                    nothing.get_or_insert((answer, attempt.requests));
                }
                Ok(answer) => {
                    notes.extend(reasons.iter().map(|e: &SourceError| warning(e.to_string())));
                    return self.store(answer, old.as_ref(), attempt.requests, notes, settings);
                }
                Err(error) => reasons.push(error),
            }
        }
        let knows = |error: &SourceError| !matches!(error, SourceError::NoSuchTicker { .. });
        match nothing {
            Some((answer, requests)) if !reasons.iter().any(knows) => {
                self.store(answer, old.as_ref(), requests, notes, settings)
            }
            _ => Err(PriceError::NoSource { ticker: ticker.clone(), reasons }),
        }
    }

    /// Checks what was fetched, and writes it.
    fn store(
        &self,
        answer: Answer,
        old: Option<&PriceFile>,
        requests: usize,
        mut notes: Vec<Note>,
        settings: &UpdateSettings,
    ) -> Result<Update, PriceError> {
        let Answer { file: PriceFile { meta, bars }, refetched, notes: more } = answer;
        notes.extend(more);
        let known = old.filter(|_| refetched.is_none());
        let is_new = |date: NaiveDate| {
            known.is_none_or(|old| old.bars.binary_search_by_key(&date, |bar| bar.date).is_err())
        };
        let (bars, findings) =
            check_bars(bars, &meta.actions, meta.adjustment, settings.calendar, &settings.checks);
        let failed = || findings.iter().filter(|finding| finding.policy == Policy::Fail);
        if let Some(first) = failed().next() {
            let (ticker, finding) = (meta.ticker, first.clone());
            return Err(PriceError::Check { ticker, finding, more: failed().count() - 1 });
        }
        let told = |finding: &&Finding| finding.dropped || is_new(finding.date);
        notes.extend(findings.iter().filter(told).map(|finding| Note {
            severity: if finding.dropped { Severity::Error } else { Severity::Warning },
            message: finding.to_string(),
        }));
        let new_bars = bars.iter().filter(|bar| is_new(bar.date)).count();
        let file = PriceFile { meta, bars };
        if !old.is_some_and(|old| same_but_for_time(old, &file)) {
            file.write(&self.path(&file.meta.ticker))?;
        }
        Ok(Update { file, requests, new_bars, refetched, notes })
    }

    /// Holds the ticker until the file is dropped, waiting for whoever has it.
    fn lock(&self, ticker: &Ticker) -> Result<File, PriceError> {
        let path = self.folder.join(format!(".{ticker}.lock"));
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(io_error("create", &path))?;
        file.lock().map_err(io_error("lock", &path))?;
        Ok(file)
    }
}

/// Two days, both included.
type Range = (NaiveDate, NaiveDate);

/// One source being asked about one ticker.
struct Attempt<'a> {
    ticker: &'a Ticker,
    source: &'a dyn PriceSource,
    old: Option<&'a PriceFile>,
    settings: &'a UpdateSettings<'a>,
    requests: usize,
}

/// What a source gave: the file as it would be, unchecked.
struct Answer {
    file: PriceFile,
    refetched: Option<String>,
    notes: Vec<Note>,
}

impl Attempt<'_> {
    fn fetch(&mut self, wanted: Range, missing: &[Range]) -> Result<Answer, SourceError> {
        let Some(old) = self.old else { return self.fetch_whole(wanted, None) };
        let (source, adjustment) = (self.source.name(), self.source.adjustment());
        if old.meta.source != source {
            let why = format!("the source changed from {} to {source}", old.meta.source);
            return self.fetch_whole(wanted, Some(why));
        }
        if old.meta.adjustment != adjustment {
            let was = old.meta.adjustment;
            let why = format!("prices adjusted for `{was}` are not mixed with `{adjustment}`");
            return self.fetch_whole(wanted, Some(why));
        }
        match self.source.is_local() {
            true => self.fetch_whole(wanted, None),
            false => self.fetch_missing(old, wanted, missing),
        }
    }

    /// Fetches what is missing before and after the known days.
    fn fetch_missing(
        &mut self,
        old: &PriceFile,
        wanted: Range,
        missing: &[Range],
    ) -> Result<Answer, SourceError> {
        let Some((known_first, known_last)) = old.meta.fetched.hull() else {
            return self.fetch_whole(wanted, None);
        };
        let mut meta = old.meta.clone();
        let mut bars = old.bars.clone();
        let mut notes = Vec::new();
        let first = missing.iter().map(|(first, _)| *first).min().filter(|d| *d < known_first);
        let last = missing.iter().map(|(_, last)| *last).max().filter(|d| *d > known_last);
        let count = old.bars.len();
        let before = first.map(|first| {
            let overlap = old.bars.get(count.min(OVERLAP).wrapping_sub(1));
            (first, overlap.map_or(known_first, |bar| bar.date))
        });
        let after = last.map(|last| {
            let overlap = old.bars.get(count.saturating_sub(OVERLAP));
            (overlap.map_or(known_last, |bar| bar.date), last)
        });
        for range in [before, after].into_iter().flatten() {
            let fetched = self.ask(range)?;
            if let Some(why) = rewritten(old, range, &fetched) {
                return self.fetch_whole(wanted, Some(why));
            }
            let is_new = |bar: &&Bar| old.bars.binary_search_by_key(&bar.date, |b| b.date).is_err();
            bars.extend(fetched.bars.iter().filter(is_new));
            meta.fetched.add(range.0, range.1);
            absorb(&mut meta, &mut notes, fetched);
        }
        Ok(self.answer(meta, bars, None, notes))
    }

    /// Fetches what is wanted and what is known anew.
    fn fetch_whole(
        &mut self,
        wanted: Range,
        refetched: Option<String>,
    ) -> Result<Answer, SourceError> {
        let known = self.old.and_then(|old| old.meta.fetched.hull()).unwrap_or(wanted);
        let range = (known.0.min(wanted.0), known.1.max(wanted.1));
        let fetched = self.ask(range)?;
        let mut notes = Vec::new();
        if let Some(old) = self.old {
            let dates: HashSet<NaiveDate> = fetched.bars.iter().map(|bar| bar.date).collect();
            let gone = |bar: &&Bar| !dates.contains(&bar.date);
            let gone = old.bars.iter().filter(gone).count();
            let same_source = old.meta.source == self.source.name();
            let message = format!(
                "of {} known bars {gone} are not in the history fetched again",
                old.bars.len()
            );
            // A plan that ended, an answer cut short: what is known must not go with it.
            let many = gone > OVERLAP.max(old.bars.len() / 100) || gone == old.bars.len();
            if same_source && gone > 0 && many {
                let source_name = self.source.name().to_owned();
                return Err(SourceError::Malformed { source_name, reason: message });
            }
            if gone > 0 {
                notes.push(warning(message));
            }
        }
        let mut meta = PriceMeta {
            ticker: self.ticker.clone(),
            source: self.source.name().to_owned(),
            adjustment: self.source.adjustment(),
            fetched_at: self.fetched_at(&fetched.bars),
            currency: None,
            fetched: DateRanges::default(),
            actions: Vec::new(),
        };
        meta.fetched.add(range.0, range.1);
        let bars = fetched.bars.clone();
        absorb(&mut meta, &mut notes, fetched);
        Ok(self.answer(meta, bars, refetched, notes))
    }

    /// Asks the source, leaving out what is outside of the range, such as today's unfinished bar.
    fn ask(&mut self, (first, last): Range) -> Result<Fetched, SourceError> {
        self.requests += 1;
        let mut fetched = self.source.fetch(self.ticker, first, last)?;
        fetched.bars.retain(|bar| first <= bar.date && bar.date <= last);
        fetched.actions.retain(|action| first <= action.date() && action.date() <= last);
        Ok(fetched)
    }

    fn answer(
        &self,
        mut meta: PriceMeta,
        bars: Vec<Bar>,
        refetched: Option<String>,
        notes: Vec<Note>,
    ) -> Answer {
        meta.fetched_at = self.fetched_at(&bars);
        meta.fetched = without_late_days(&meta.fetched, &bars, self.settings.now);
        Answer { file: PriceFile { meta, bars }, refetched, notes }
    }

    /// When the source was asked. A file says the same at any time, and its bars shall have the same bytes.
    fn fetched_at(&self, bars: &[Bar]) -> DateTime<Utc> {
        let last = bars.iter().map(|bar| bar.date).max().filter(|_| self.source.is_local());
        last.map_or(self.settings.now, close_instant)
    }
}

/// Takes over what an answer says beside its bars.
fn absorb(meta: &mut PriceMeta, notes: &mut Vec<Note>, fetched: Fetched) {
    let Fetched { bars: _, actions, currency, diagnostics } = fetched;
    for action in actions {
        if !meta.actions.contains(&action) {
            meta.actions.push(action);
        }
    }
    meta.actions.sort_by_key(CorporateAction::date);
    meta.currency = currency.or(meta.currency.take());
    notes.extend(
        diagnostics.into_iter().map(|diagnostic| Note {
            severity: diagnostic.severity,
            message: diagnostic.to_string(),
        }),
    );
}

/// Why the known bars no longer are what the source has: in words, or `None` where they are.
fn rewritten(old: &PriceFile, range: Range, fetched: &Fetched) -> Option<String> {
    let first = old.bars.first()?.date;
    let is_new =
        |action: &&CorporateAction| action.date() > first && !old.meta.actions.contains(action);
    if let Some(action) = fetched.actions.iter().find(is_new) {
        let date = action.date();
        return Some(match action {
            CorporateAction::Split { ratio, .. } => format!("a split of {ratio} for 1 on {date}"),
            CorporateAction::Dividend { amount, .. } => format!("a dividend of {amount} on {date}"),
        });
    }
    let in_range = |bar: &&Bar| range.0 <= bar.date && bar.date <= range.1;
    old.bars.iter().filter(in_range).find_map(|known| {
        let date = known.date;
        let Some(new) = fetched.bars.iter().find(|bar| bar.date == date) else {
            return Some(format!("the bar of {date} is gone"));
        };
        let pairs = [
            ("open", Some(known.open), Some(new.open)),
            ("high", Some(known.high), Some(new.high)),
            ("low", Some(known.low), Some(new.low)),
            ("close", Some(known.close), Some(new.close)),
            ("adjusted close", known.adj_close, new.adj_close),
        ];
        pairs.into_iter().find_map(|(name, known, new)| match (known, new) {
            (Some(known), Some(new)) if (new - known).abs() <= ROUNDING * known.abs() => None,
            (None, None) => None,
            _ => {
                let show = |price: Option<f64>| price.map_or("none".to_owned(), |p| p.to_string());
                Some(format!("the {name} of {date} was {}, is {}", show(known), show(new)))
            }
        })
    })
}

/// The ranges of days that have to be asked for: not known, and with a session as far as one knows.
fn missing(known: &DateRanges, wanted: Range, calendar: Option<&Calendar>) -> Vec<Range> {
    let mut missing = known.missing(wanted.0, wanted.1);
    missing.retain(|(first, last)| {
        let sessions = calendar.and_then(|calendar| calendar.sessions_between(*first, *last));
        sessions.is_none_or(|sessions| sessions.len() > 0)
    });
    missing
}

/// The last day up to `to` whose session has ended.
fn last_finished(to: NaiveDate, now: DateTime<Utc>) -> NaiveDate {
    // In New York the day that a UTC day begins with is never a later one.
    let mut day = to.min(now.date_naive());
    while close_instant(day) > now {
        let Some(before) = day.pred_opt() else { break };
        day = before;
    }
    day
}

/// Whether two files differ in nothing but when they were fetched.
fn same_but_for_time(old: &PriceFile, new: &PriceFile) -> bool {
    let fetched_at = new.meta.fetched_at;
    old.bars == new.bars && PriceMeta { fetched_at, ..old.meta.clone() } == new.meta
}

/// The ranges without the last days, as long as they are recent and no bar shows that the source
/// has got so far.
fn without_late_days(ranges: &DateRanges, bars: &[Bar], now: DateTime<Utc>) -> DateRanges {
    let settled = now.date_naive().checked_sub_days(LATE);
    let last_bar = bars.iter().map(|bar| bar.date).max();
    let mut kept = DateRanges::default();
    for (first, last) in ranges.iter() {
        let until = [settled, last_bar].into_iter().flatten().max().unwrap_or(last);
        kept.add(first, last.min(until));
    }
    kept
}

fn warning(message: String) -> Note {
    Note { severity: Severity::Warning, message }
}
