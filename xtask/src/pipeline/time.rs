/// Seconds as a person says them.
pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 9.95 => format!("{s:.1} s"),
        s if s < 59.5 => format!("{s:.0} s"),
        s if s < 3599.5 => {
            let whole = s.round() as u64;
            format!("{} min {:02} s", whole / 60, whole % 60)
        }
        s => {
            let minutes = (s / 60.0).round() as u64;
            format!("{} h {:02} min", minutes / 60, minutes % 60)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_a_person_says_it() {
        let spoken = [0.04, 9.94, 9.96, 59.4, 59.6, 60.0, 125.4, 3599.0, 3600.0, 5430.0];
        let spoken = spoken.map(duration);
        let want = [
            "0.0 s",
            "9.9 s",
            "10 s",
            "59 s",
            "1 min 00 s",
            "1 min 00 s",
            "2 min 05 s",
            "59 min 59 s",
            "1 h 00 min",
            "1 h 31 min",
        ];
        assert_eq!(spoken, want);
    }
}
