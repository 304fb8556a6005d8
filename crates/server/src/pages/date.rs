//! Moments as people read them: UTC, to the minute.

use misario_jose::UnixTime;

use super::html::{Attr, Element};

const DAY: u64 = 86_400;
/// The last second of the year 9999, the last that RFC 3339 can write.
const LAST: u64 = 253_402_300_799;

/// A `time` element: `2026-11-23 21:28 UTC`, with the exact moment for machines.
pub(super) fn time(at: UnixTime) -> Element {
    let secs = at.as_secs().min(LAST);
    let (year, month, day) = civil(secs / DAY);
    let (hour, minute, second) = (secs % DAY / 3_600, secs % 3_600 / 60, secs % 60);
    Element::new("time")
        .attr(Attr::DateTime, &format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
        .text(&format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02} UTC"))
}

/// Year, month and day of the day that is `days` after 1970-01-01 (Gregorian). Years are counted from March, so that
/// the leap day comes last, in cycles of 400 years, which all have the same number of days.
const fn civil(days: u64) -> (u64, u64, u64) {
    const CYCLE: u64 = 146_097;
    const MARCH_0000: u64 = 719_468;
    let (cycle, day_of_cycle) = ((days + MARCH_0000) / CYCLE, (days + MARCH_0000) % CYCLE);
    let year = (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year = day_of_cycle - (365 * year + year / 4 - year / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let (month, carry) = if from_march < 10 { (from_march + 3, 0) } else { (from_march - 9, 1) };
    (cycle * 400 + year + carry, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(secs: u64) -> String {
        time(UnixTime::from_secs(secs)).build().as_str().to_owned()
    }

    #[test]
    fn moments_are_written_in_utc() {
        for (secs, exact, read) in [
            (0, "1970-01-01T00:00:00Z", "1970-01-01 00:00 UTC"),
            (951_782_399, "2000-02-28T23:59:59Z", "2000-02-28 23:59 UTC"),
            (951_782_400, "2000-02-29T00:00:00Z", "2000-02-29 00:00 UTC"),
            (1_709_251_199, "2024-02-29T23:59:59Z", "2024-02-29 23:59 UTC"),
            (1_800_000_000, "2027-01-15T08:00:00Z", "2027-01-15 08:00 UTC"),
            (4_107_542_400, "2100-03-01T00:00:00Z", "2100-03-01 00:00 UTC"),
            (u64::MAX, "9999-12-31T23:59:59Z", "9999-12-31 23:59 UTC"),
        ] {
            assert_eq!(shown(secs), format!("<time datetime=\"{exact}\">{read}</time>"));
        }
    }
}
