//! Moments and spans as people write them.

use misario_jose::UnixTime;

/// `2026-03-01 14:05:09 UTC`.
pub(crate) fn moment(at: UnixTime) -> String {
    let (days, second) = (at.as_secs() / 86_400, at.as_secs() % 86_400);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC", second / 3600, second / 60 % 60, second % 60)
}

/// `14 min 59 s`: the two largest units.
pub(crate) fn span(seconds: u64) -> String {
    const UNITS: [(u64, &str); 5] = [(31_536_000, "y"), (86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (size, name) in UNITS {
        if rest >= size {
            parts.push(format!("{} {name}", rest / size));
            rest %= size;
        }
    }
    parts.truncate(2);
    if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
}

/// `in 14 min 59 s` or `3 d ago`.
pub(crate) fn relative(at: UnixTime, now: UnixTime) -> String {
    if at > now { format!("in {}", span(at.secs_since(now))) } else { format!("{} ago", span(now.secs_since(at))) }
}

/// Year, month and day of a day since 1970, in the Gregorian calendar: 400 years have 146,097 days, and counting years
/// from March puts the leap day last.
const fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_calendar_dates() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_516_239_022, "2018-01-18 01:30:22 UTC"),
            (4_107_542_399, "2100-02-28 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
        ] {
            assert_eq!(moment(UnixTime::from_secs(seconds)), text);
        }
    }

    #[test]
    fn spans_show_their_two_largest_units() {
        assert_eq!(span(0), "0 s");
        assert_eq!(span(899), "14 min 59 s");
        assert_eq!(span(86_400 * 366), "1 y 1 d");
        let now = UnixTime::from_secs(1000);
        assert_eq!(relative(UnixTime::from_secs(1060), now), "in 1 min");
        assert_eq!(relative(UnixTime::from_secs(940), now), "1 min ago");
    }
}
